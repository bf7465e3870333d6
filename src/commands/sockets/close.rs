//! `sockets --close`: has the kernel close sockets of others.

use super::Args;
use super::row::Row;
use super::select::Filler;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{
    Cell, Column, Emphasis, Field, Holder, Record, Tally, column_table, errno_words, quantity,
};
use crate::render::{Format, Renderer};
use crate::sock::Net;
use rustix::termios::isatty;
use std::io::{self, BufRead as _, Write as _};

/// A socket that was to be closed.
struct Closed {
    family: &'static str,
    state: Option<&'static str>,
    local: Vec<u8>,
    remote: Vec<u8>,
    owners: Vec<Holder>,
    error: Option<String>,
}

impl Record for Closed {
    fn emphasis(&self) -> Emphasis {
        if self.error.is_some() { Emphasis::Alarm } else { Emphasis::None }
    }
}

const COLUMNS: &[Column<Closed>] = column_table! {
    "family", String, "family of the socket", |c| Some(Cell::Text(c.family.as_bytes()));
    "state", String, "state that it was in", |c| c.state.map(|s| Cell::Text(s.as_bytes()));
    "local", Address, "own address", |c| Some(Cell::Text(&c.local));
    "remote", Address, "address of the other end", |c| (!c.remote.is_empty()).then_some(Cell::Text(&c.remote));
    "owners", Records, "the fds that hold it", |c| Some(Cell::Holders(&c.owners));
    "closed", Bool, "whether the kernel has closed it", |c| Some(Cell::Bool(c.error.is_none()));
    "error", String, "why not", |c| c.error.as_deref().map(|e| Cell::Text(e.as_bytes()));
};

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
        return Ok(Outcome::NotMet);
    }
    let mut closed = Vec::new();
    let mut row = Row::new(filler.data);
    for &(place, nth) in chosen {
        filler.fill(&mut row, place, nth);
        closed.push(describe(&row));
    }
    if !yes && !confirm(&closed).map_err(|e| Error::Io("the answer".to_owned(), e))? {
        context.note("nothing was closed");
        return Ok(Outcome::NotMet);
    }
    let mut failed = false;
    for (&(place, nth), told) in chosen.iter().zip(&mut closed) {
        if let Err(error) = nets[place].close(&filler.data.sockets[place][nth]) {
            told.error = Some(reason(&error));
            failed = true;
            if context.style.format == Format::Table {
                let text = String::from_utf8_lossy(&told.local).into_owned();
                context.complain(&format!(
                    "the {} socket {text} was not closed: {}",
                    told.family,
                    reason(&error)
                ));
            }
        }
    }
    let done = closed.iter().filter(|c| c.error.is_none()).count();
    let renderer = Renderer::new(context.style, "sockets", COLUMNS.to_vec(), false);
    renderer.write_all(&mut context.out, closed, Tally::default()).map_err(Error::Output)?;
    context.note(&format!("{} closed", quantity(done, "socket", "sockets")));
    if failed { Err(Error::Target) } else { Ok(Outcome::Met) }
}

fn describe(row: &Row) -> Closed {
    let socket = row.socket();
    let address = |end: Option<crate::model::Endpoint>| {
        end.filter(|end| !end.is_unset()).map(|end| end.to_string().into_bytes())
    };
    Closed {
        family: socket.family.word(),
        state: socket.state,
        local: address(socket.local).or_else(|| socket.path.clone()).unwrap_or_default(),
        remote: address(socket.remote).unwrap_or_default(),
        owners: row.owners().to_vec(),
        error: None,
    }
}

/// Shows what is to be closed, and asks at the terminal.
fn confirm(closed: &[Closed]) -> io::Result<bool> {
    const SHOWN: usize = 10;
    let mut err = io::stderr().lock();
    for Closed { family, state, local, remote, owners, .. } in closed.iter().take(SHOWN) {
        let text = |bytes: &[u8]| crate::model::escape(bytes, crate::model::Escape::Table).into_owned();
        let who = match owners.first() {
            Some(Holder { process, fd }) => format!("{}/{} {fd}", process.pid, text(&process.command)),
            None => "nobody".to_owned(),
        };
        let state = state.unwrap_or_default();
        let arrow = if remote.is_empty() { "" } else { " → " };
        writeln!(err, "  {family} {}{arrow}{} {state}, of {who}", text(local), text(remote))?;
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

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM) => "it takes CAP_NET_ADMIN (root) in its network namespace".to_owned(),
        Some(libc::EOPNOTSUPP) => {
            "only TCP and UDP sockets can be closed so, and only if the kernel has CONFIG_INET_DIAG_DESTROY"
                .to_owned()
        }
        Some(libc::ENOENT | libc::ESTALE) => "it is gone already".to_owned(),
        Some(errno) => errno_words(errno),
        None => error.to_string(),
    }
}
