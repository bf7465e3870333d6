//! Subcommands: a file each, with its arguments, its run and its section of the manual.

mod columns;
mod complete;
mod counting;
mod fields;
mod kinds;
pub mod limits;
pub mod list;
pub mod listen;
mod listing;
mod manual;
pub mod peers;
mod processes;
mod setting;
mod signals;
mod sink;
mod system;
mod values;
pub mod watch;

pub use fields::all as list_fields;
pub use manual::{Block, Manual, Section, manuals};
