//! Every kind of fd that this kernel makes: a file's exhibits each open some in a helper process
//! and say what `list --json` must show of them.
//!
//! To add one, write a function that shows fds to the [`Keeper`] and name it in its file's
//! `exhibits!`: that makes it a test, and a thing that other tests can have a helper open.

mod bpf;
mod epoll;
mod events;
mod files;
mod inet;
mod memory;
mod pipes;
mod processes;
mod rest;
mod sockets;
mod threads;
mod ttys;
mod unix;
mod watches;

use crate::support::{Keeper, Skip};

/// Those of every kind of fd, by name, a list for each file.
pub(crate) const KINDS: &[&[(&str, Exhibit)]] = &[
    bpf::ALL,
    epoll::ALL,
    events::ALL,
    files::ALL,
    inet::ALL,
    memory::ALL,
    pipes::ALL,
    processes::ALL,
    rest::ALL,
    sockets::ALL,
    threads::ALL,
    ttys::ALL,
    unix::ALL,
    watches::ALL,
];

/// Opens what it shows.
pub(crate) type Exhibit = fn(&mut Keeper) -> Result<(), Skip>;

/// Those that tests elsewhere have for themselves.
pub(crate) const OTHERS: &[&[(&str, Exhibit)]] = &[
    crate::bad_input::ALL,
    crate::bpf::ALL,
    crate::hang::ALL,
    crate::listen::models::ALL,
    crate::listen::watch_only::ALL,
    crate::loops::harmless::ALL,
    crate::loops::many::ALL,
    crate::loops::shown::ALL,
    crate::loops::spinning::ALL,
    crate::peers::exhibits::ALL,
    crate::peers::graph::ALL,
    crate::peers::stuck::ALL,
    crate::peers::networks::ALL,
    crate::peers::ptys::ALL,
    crate::path::ALL,
    crate::selecting::ALL,
    crate::shared::ALL,
    crate::sockets::namespaces::ALL,
    crate::targets::ALL,
    crate::threads::bad_input::ALL,
    crate::threads::calls::ALL,
    crate::threads::gil::ALL,
    crate::threads::many::ALL,
    crate::threads::sample::ALL,
    crate::threads::serving::ALL,
    crate::threads::states::ALL,
    crate::threads::waits::ALL,
    crate::torn::ALL,
    crate::watch::many::ALL,
];

/// Lists the exhibits of a file, and makes each a test of its record.
macro_rules! exhibits {
    ($file:literal: $($name:ident)*) => {
        $crate::exhibits::listed! { $file: $($name)* }
        mod shown {
            $(#[test]
            fn $name() {
                $crate::support::run_exhibit(concat!($file, "::", stringify!($name)));
            })*
        }
    };
}
pub(crate) use exhibits;

/// Lists the exhibits of a file, for tests of its own.
macro_rules! listed {
    ($file:literal: $($name:ident)*) => {
        pub(crate) const ALL: &[(&str, $crate::exhibits::Exhibit)] =
            &[$((concat!($file, "::", stringify!($name)), $name)),*];
    };
}
pub(crate) use listed;
