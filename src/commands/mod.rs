//! Subcommands: a file each, with its arguments, its run and its section of the manual.

pub mod bench;
mod cells;
mod columns;
mod complete;
mod counting;
mod fields;
mod kinds;
pub mod limits;
pub mod list;
pub mod listen;
mod listing;
mod locale;
pub mod loops;
mod manual;
mod names;
mod pace;
pub mod peers;
mod ports;
mod processes;
mod rlimit;
mod setting;
mod sharing;
mod signals;
mod sink;
pub mod sockets;
mod system;
pub mod threads;
mod values;
pub mod watch;
mod words;

pub use fields::all as list_fields;
pub use manual::{Block, Guide, Manual, Section, guides, manuals};

use crate::query::Where;

/// Whether `--where` of a subcommand takes an expression; why not, otherwise.
pub fn check_where(subcommand: &str, expression: &str) -> Result<(), String> {
    match subcommand {
        "sockets" => sockets::check_where(expression),
        "threads" => threads::check_where(expression),
        _ => Where::compile(expression, &list_fields()).map(drop),
    }
}
