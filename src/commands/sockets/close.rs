//! `sockets --close`: has the kernel close sockets of others.

use super::Args;
use super::gather::Data;
use super::row::Row;
use super::select::Filler;
use crate::commands::columns;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{
    Cell, Column, Emphasis, Endpoint, Escape, Family, Field, HOLDER_MEMBERS, Holder, Inode, Network, Record,
    Tally, column_table, errno_words, escape, quantity,
};
use crate::render::{Format, Renderer};
use crate::sock::{Net, Request};
use rustix::termios::isatty;
use std::collections::HashSet;
use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;

/// A socket that was to be closed.
struct Closed {
    family: Family,
    state: Option<&'static str>,
    local: Vec<u8>,
    remote: Vec<u8>,
    inode: Inode,
    /// The interface that it is bound to.
    interface: Vec<u8>,
    network: Arc<Network>,
    /// Nothing where they may not be seen.
    owners: Option<Vec<Holder>>,
    unowned: Option<&'static str>,
    /// What people read: its own address with the interface, and who has it.
    shown: Vec<u8>,
    who: Vec<u8>,
    end: End,
}

/// What became of it.
enum End {
    /// Nothing yet: the kernel does not find it, which has several reasons.
    Missed,
    Closed,
    /// It was gone by then: its other end was closed before it, say.
    Gone,
    Failed(String),
    /// Its owner was told, and goes on receiving at the address that it was bound to.
    StaysBound,
}

/// Why a UDP socket is not closed of which the kernel said that it has done so.
const STAYS_BOUND: &str =
    "it is disconnected and its owner told (ECONNABORTED), but it stays bound and goes on receiving";

impl Record for Closed {
    fn emphasis(&self) -> Emphasis {
        if self.error().is_some() { Emphasis::Alarm } else { Emphasis::None }
    }
}

const COLUMNS: &[Column<Closed>] = column_table! {
    "family", String, "family of the socket", |c| Some(Cell::Text(c.family.word().as_bytes()));
    "state", String, "state that it was in", |c| c.state.map(|s| Cell::Text(s.as_bytes()));
    "local", Address, "own address", |c| Some(Cell::Text(&c.local));
    "remote", Address, "address of the other end", |c| (!c.remote.is_empty()).then_some(Cell::Text(&c.remote));
    "owners", Records[HOLDER_MEMBERS], "the fds that hold it: pid, command, fd; null where they may not be seen",
        |c| Some(c.owners.as_deref().map_or(Cell::Null, Cell::Holders));
    "unowned", String, "why nobody holds it", |c| c.unowned.map(|reason| Cell::Text(reason.as_bytes()));
    "netns", Integer, "network namespace, by its inode; null where that may not be read",
        |c| Some(c.network.id.map_or(Cell::Null, Cell::Uint));
    "netns_name", String, "its name", |c| c.network.name.as_deref().map(Cell::Text);
    "interface", String, "interface that it is bound to",
        |c| (!c.interface.is_empty()).then_some(Cell::Text(&c.interface));
    "closed", Bool, "whether it is closed now", |c| Some(Cell::Bool(c.error().is_none()));
    "error", String, "why not", |c| c.error().map(|e| Cell::Text(e.as_bytes()));
};

/// The same fields as people read them.
const SHOWN: &[Column<Closed>] = column_table! {
    "local", Address, "", |c| Some(Cell::Text(&c.shown));
    "owners", Records, "", |c| Some(Cell::Text(&c.who));
    "netns", String, "", |c| match (&c.network.name, c.network.id) {
        (Some(name), _) => Some(Cell::Text(name)),
        _ if c.network.own => Some(Cell::Text(b"own")),
        (None, id) => id.map(Cell::Uint),
    };
};

impl Closed {
    fn of(row: &Row) -> Self {
        let socket = row.socket();
        let address =
            |end: Option<Endpoint>| end.filter(|end| !end.is_unset()).map(|end| end.to_string().into_bytes());
        let local = address(socket.local).or_else(|| socket.path.clone());
        let local = local.unwrap_or_else(|| row.local.clone());
        let shown = if row.local.is_empty() { local.clone() } else { row.local.clone() };
        let owners = row.owners();
        let unowned = row.unowned();
        Self {
            family: socket.family,
            state: socket.state,
            local,
            remote: address(socket.remote).unwrap_or_default(),
            inode: socket.inode,
            interface: row.interface.clone(),
            network: Arc::clone(&row.data.networks[row.place]),
            owners: (!owners.is_empty() || unowned.is_some()).then(|| owners.to_vec()),
            unowned,
            shown,
            who: row.holders.clone(),
            end: End::Missed,
        }
    }

    fn error(&self) -> Option<&str> {
        match &self.end {
            End::Failed(error) => Some(error),
            End::StaysBound => Some(STAYS_BOUND),
            End::Missed | End::Closed | End::Gone => None,
        }
    }

    fn is_missed(&self) -> bool {
        matches!(self.end, End::Missed)
    }

    /// Where it is, behind a preposition; nothing where that is where we are.
    fn place(&self) -> String {
        match (&self.network.name, self.network.id) {
            _ if self.network.own => String::new(),
            (Some(name), _) => format!(" in network namespace {}", escape(name, Escape::Table)),
            (None, Some(id)) => format!(" in network namespace {id}"),
            (None, None) => " in another network namespace".to_owned(),
        }
    }

    /// What to call it: its addresses, or its inode where it has none.
    fn name(&self) -> String {
        let text = |bytes: &[u8]| escape(bytes, Escape::Table).into_owned();
        match (&self.shown[..], &self.remote[..]) {
            (b"", _) => format!("with inode {}", self.inode.0),
            (local, b"") => text(local),
            (local, remote) => format!("{} → {}", text(local), text(remote)),
        }
    }
}

/// The fields, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

/// Refuses what is certainly a mistake before anything is looked for.
pub(super) fn check(args: &Args) -> Result<(), Error> {
    if !args.selects() {
        let hint = "say which: a FILTER, --port, --state, --process, --where, ...";
        return Err(Error::Usage(format!("--close closes what is selected, and nothing is; {hint}")));
    }
    if !args.yes && !isatty(io::stdin()) {
        let hint = "standard input is no terminal to ask at; --yes closes without asking";
        return Err(Error::Usage(format!("--close: {hint}")));
    }
    Ok(())
}

/// Asks, unless that is not wanted, closes, and tells of each.
pub(super) fn run(
    chosen: &[(usize, usize)],
    filler: &Filler<'_>,
    nets: &mut [Net],
    yes: bool,
    context: &mut Context,
) -> Result<Outcome, Error> {
    if chosen.is_empty() {
        context.note("nothing is selected, so nothing was closed");
        return write(Vec::new(), filler.data.tally, context).map(|()| Outcome::NotMet);
    }
    let mut closed = Vec::new();
    let mut row = Row::new(filler.data);
    for &(place, nth) in chosen {
        filler.fill(&mut row, place, nth);
        closed.push(Closed::of(&row));
    }
    if !yes && !confirm(&closed).map_err(|e| Error::Io("the answer".to_owned(), e))? {
        context.note("nothing was closed");
        return write(Vec::new(), filler.data.tally, context).map(|()| Outcome::NotMet);
    }
    close(chosen, &mut closed, filler.data, nets);
    for told in &closed {
        if let (Some(error), Format::Table) = (told.error(), context.style.format) {
            let family = told.family.word();
            let (name, place) = (told.name(), told.place());
            context.complain(&format!("the {family} socket {name}{place} was not closed: {error}"));
        }
    }
    let count = |is: fn(&End) -> bool| closed.iter().filter(|c| is(&c.end)).count();
    let done = count(|end| matches!(end, End::Closed));
    let gone = match count(|end| matches!(end, End::Gone)) {
        0 => String::new(),
        gone => format!(", {gone} gone by then"),
    };
    let failed = closed.iter().any(|told| told.error().is_some());
    write(closed, filler.data.tally, context)?;
    context.note(&format!("{} closed{gone}", quantity(done, "socket", "sockets")));
    if failed { Err(Error::Target) } else { Ok(Outcome::Met) }
}

fn write(closed: Vec<Closed>, tally: Tally, context: &mut Context) -> Result<(), Error> {
    let mut columns = COLUMNS.to_vec();
    if context.style.format == Format::Table {
        // People read these in the others.
        columns.retain(|column| !["unowned", "netns_name", "interface"].contains(&column.field.name));
        let elsewhere = closed.iter().any(|told| !told.network.own);
        columns.retain(|column| column.field.name != "netns" || elsewhere);
        columns::for_people(&mut columns, SHOWN);
    }
    let renderer = Renderer::new(context.style, "sockets", columns, false);
    renderer.write_all(&mut context.out, closed, tally).map_err(Error::Output)
}

/// Has them closed. The kernel looks each up by its addresses: of several that share one
/// (`SO_REUSEPORT`) it finds always the same, the others only once that one is closed.
fn close(chosen: &[(usize, usize)], closed: &mut [Closed], data: &Data, nets: &mut [Net]) {
    loop {
        let mut progress = false;
        for (&(place, nth), told) in chosen.iter().zip(&mut *closed).filter(|(_, told)| told.is_missed()) {
            told.end = match nets[place].close(&data.sockets[place][nth]) {
                Ok(()) => End::Closed,
                Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ESTALE)) => continue,
                Err(e) => End::Failed(reason(&e, told.family)),
            };
            progress |= matches!(told.end, End::Closed);
        }
        if closed.iter().any(Closed::is_missed) {
            find_missed(chosen, closed, data, nets, progress);
        }
        if !closed.iter().any(Closed::is_missed) {
            break;
        }
    }
    find_bound(chosen, closed, data, nets);
}

/// Finds out which UDP sockets are bound still: the kernel does no more than disconnect them.
fn find_bound(chosen: &[(usize, usize)], closed: &mut [Closed], data: &Data, nets: &mut [Net]) {
    const UDP: &[Family] = &[Family::Udp, Family::Udp6, Family::Udplite, Family::Udplite6];
    let may_be = |told: &Closed| UDP.contains(&told.family) && matches!(told.end, End::Closed);
    for (place, net) in nets.iter_mut().enumerate() {
        let here = |(at, told): &(&(usize, usize), &mut Closed)| at.0 == place && may_be(told);
        let mut those = chosen.iter().zip(&mut *closed).filter(here).peekable();
        if those.peek().is_none() {
            continue;
        }
        let found = net.sockets(&Request::all(UDP));
        let there: HashSet<Option<u64>> = found.sockets.iter().map(|socket| socket.cookie).collect();
        for (_, told) in those.filter(|(at, _)| there.contains(&data.sockets[place][at.1].cookie)) {
            told.end = End::StaysBound;
        }
    }
}

/// Finds out which of those that the kernel did not find are gone. Another try for those that are not
/// is of use only after some `progress`.
fn find_missed(
    chosen: &[(usize, usize)],
    closed: &mut [Closed],
    data: &Data,
    nets: &mut [Net],
    progress: bool,
) {
    for (place, net) in nets.iter_mut().enumerate() {
        let here = |(at, told): &(&(usize, usize), &mut Closed)| at.0 == place && told.is_missed();
        let mut families: Vec<Family> =
            chosen.iter().zip(&mut *closed).filter(here).map(|(_, told)| told.family).collect();
        families.sort_by_key(|family| family.word());
        families.dedup();
        if families.is_empty() {
            continue;
        }
        let found = net.sockets(&Request::all(&families));
        let there: HashSet<Option<u64>> = found.sockets.iter().map(|socket| socket.cookie).collect();
        for (&(_, nth), told) in chosen.iter().zip(&mut *closed).filter(here) {
            let is_there = !found.unread.is_empty() || there.contains(&data.sockets[place][nth].cookie);
            match (is_there, progress) {
                (false, _) => told.end = End::Gone,
                (true, true) => {}
                (true, false) => told.end = End::Failed(not_found(told)),
            }
        }
    }
}

/// Why the kernel may not find a socket that it lists.
fn not_found(told: &Closed) -> String {
    let reason = match (told.family, told.state) {
        (Family::Tcp | Family::Tcp6, Some("close")) => "it is bound and no more, which cannot be closed so",
        _ => "the kernel finds another one in its place (SO_REUSEPORT)",
    };
    reason.to_owned()
}

/// Shows what is to be closed, and asks at the terminal.
fn confirm(closed: &[Closed]) -> io::Result<bool> {
    const SHOWN: usize = 10;
    let mut err = io::stderr().lock();
    for told in closed.iter().take(SHOWN) {
        let state = told.state.unwrap_or_default();
        let who = escape(&told.who, Escape::Table);
        writeln!(err, "  {} {} {state}, {who}{}", told.family.word(), told.name(), told.place())?;
    }
    if closed.len() > SHOWN {
        writeln!(err, "  and {} more", closed.len() - SHOWN)?;
    }
    write!(err, "Close {}? [y/N] ", quantity(closed.len(), "socket", "sockets"))?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn reason(error: &io::Error, family: Family) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM) => "it takes CAP_NET_ADMIN (root) in its network namespace".to_owned(),
        Some(libc::EOPNOTSUPP) if is_closable(family) => {
            "this kernel was built without CONFIG_INET_DIAG_DESTROY".to_owned()
        }
        Some(libc::EOPNOTSUPP) => "only TCP and UDP sockets can be closed so".to_owned(),
        Some(errno) => errno_words(errno),
        None if error.kind() == io::ErrorKind::Unsupported => "there is no netlink to ask for it".to_owned(),
        None => error.to_string(),
    }
}

/// Whether kernels can close such sockets at all.
fn is_closable(family: Family) -> bool {
    matches!(
        family,
        Family::Tcp | Family::Tcp6 | Family::Udp | Family::Udp6 | Family::Udplite | Family::Udplite6
    )
}
