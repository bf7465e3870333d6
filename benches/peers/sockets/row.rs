//! A line about a socket, as each program writes it.

use super::socket::Ends;
use serde_json::Value;
use std::net::SocketAddr;

/// What a line shows.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) inode: Option<u64>,
    pub(super) ends: Option<Ends>,
    pub(super) owners: Owners,
}

/// Who holds the socket, by pid and fd.
#[derive(Debug)]
pub(super) enum Owners {
    /// These.
    Exactly(Vec<(u32, u32)>),
    /// Those whose numbers are among the line's, which holds other numbers too: in a table for
    /// people the columns have no fixed place.
    Among(Vec<u64>),
}

/// A line of `ss -t`.
pub(super) fn ss_tcp(line: &str) -> Option<Row> {
    let mut cells = line.split_whitespace().skip(3);
    let ends = ends(cells.next()?, cells.next()?)?;
    Some(Row { inode: None, ends: Some(ends), owners: users(line) })
}

/// A line of `ss -x`: the port is the inode.
pub(super) fn ss_unix(line: &str) -> Option<Row> {
    let inode = line.split_whitespace().nth(5)?.parse().ok()?;
    Some(Row { inode: Some(inode), ends: None, owners: users(line) })
}

/// `users:(("name",pid=1,fd=2),("name",pid=3,fd=4))`.
fn users(line: &str) -> Owners {
    let user = |text: &str| {
        let (pid, text) = text.split_once(",fd=")?;
        let fd = text.split_once(')')?.0;
        Some((pid.parse().ok()?, fd.parse().ok()?))
    };
    Owners::Exactly(line.split(",pid=").skip(1).filter_map(user).collect())
}

/// A line of `lsof -i TCP`: the device is the inode.
pub(super) fn lsof_tcp(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let (local, remote) = cells.get(8)?.split_once("->").unwrap_or((cells[8], ""));
    Some(Row { inode: cells[5].parse().ok(), ends: Some(ends(local, remote)?), owners: opener(&cells)? })
}

/// A line of `lsof -U`.
pub(super) fn lsof_unix(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    Some(Row { inode: Some(cells.get(7)?.parse().ok()?), ends: None, owners: opener(&cells)? })
}

/// An fd has letters behind it, as in `12u`.
fn opener(cells: &[&str]) -> Option<Owners> {
    let fd = cells.get(3)?.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    Some(Owners::Exactly(vec![(cells[1].parse().ok()?, fd.parse().ok()?)]))
}

/// A JSON record of `fdscope sockets`, or of `fdscope list`.
pub(super) fn json(line: &str) -> Option<Row> {
    let record: Value = serde_json::from_str(line).ok()?;
    let about = if record["tcp"]["local"].is_string() { &record["tcp"] } else { &record };
    let ends = about["local"].as_str().and_then(|local| ends(local, about["remote"].as_str().unwrap_or("")));
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let owner = |value: &Value| Some((number(&value["pid"])?, number(&value["fd"])?));
    let owners = match record["owners"].as_array() {
        Some(owners) => owners.iter().filter_map(owner).collect(),
        None => owner(&record).into_iter().collect(),
    };
    Some(Row { inode: record["inode"].as_u64(), ends, owners: Owners::Exactly(owners) })
}

/// A line of a table of fdscope: addresses stand in cells of their own. A number has no letters about
/// it, for the digits of a name are none.
pub(super) fn table(line: &str) -> Option<Row> {
    let mut addresses = line.split_whitespace().filter(|cell| cell.parse::<SocketAddr>().is_ok());
    let ends = addresses.next().and_then(|local| ends(local, addresses.next().unwrap_or("")));
    let others = line.split_whitespace().filter(|cell| cell.parse::<SocketAddr>().is_err());
    let numbers = others.flat_map(|cell| cell.split(|c: char| !c.is_ascii_alphanumeric()));
    let numbers = numbers.filter_map(|number| number.parse().ok()).collect();
    Some(Row { inode: None, ends, owners: Owners::Among(numbers) })
}

/// There is no other end where it is not an address, or one without a port.
fn ends(local: &str, remote: &str) -> Option<Ends> {
    Some((local.parse().ok()?, remote.parse().ok().filter(|remote: &SocketAddr| remote.port() != 0)))
}
