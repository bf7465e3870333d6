//! Sockets: what the kernel says of them, all for one network namespace.
//!
//! [`Net`] is a namespace that can be asked for sockets: by sock_diag netlink ([`Diag`]), and where
//! that cannot be had by the tables of `/proc/PID/net`. [`Tables`] is for listings of fds: it looks
//! sockets up by inode, and asks a [`Net`] when it must. [`Pairs`] knows which sockets are the ends
//! of one connection. [`Netstat`] reads the counters of
//! listeners; it and [`Diag`] are for looking again and again, and open no further fd to do so.

mod diag;
mod enter;
mod listed;
mod net;
mod netstat;
mod pairs;
mod procnet;
mod protocol;
mod request;
mod tables;

pub use diag::{Diag, ListeningSocket};
pub use net::{Entry, Found, Net};
pub use netstat::{ListenCounters, Netstat};
pub use pairs::{OtherEnd, Pairs, is_pending};
pub use request::{Request, States, WITH_PORTS};
pub use tables::Tables;
