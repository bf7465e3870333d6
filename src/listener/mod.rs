//! Listening sockets of our own: made with the backlog and the options that the user chooses, and
//! what becomes of the connections.
//!
//! An [`Address`] becomes a [`Listener`], or one is taken over by [`adopt`]. When the next
//! connection may be accepted is for the [`Gate`] to say, by the user's [`Policy`]; an
//! [`EventLoop`] or an [`Acceptor`] asks it, accepts, and [`Report`]s what happened. A [`Service`]
//! says what is done with the connections; an [`Exchange`] does it for one of them, in whichever
//! way its caller waits: a blocking thread or process for each connection, or one event loop for
//! all. A [`Gauge`] knows what is worth telling of an accept queue, however that is read.

mod accept;
mod acceptor;
mod address;
mod adopt;
mod children;
mod compute;
mod event_loop;
mod exchange;
mod gauge;
mod http;
mod open;
mod policy;
mod report;
mod service;
mod socket_address;
mod socket_file;
mod transfer;

pub use accept::{Connection, Refusal};
pub use acceptor::{Acceptor, Server};
pub use address::Address;
pub use adopt::{Inherited, adopt};
pub use children::Children;
pub use event_loop::EventLoop;
pub use exchange::{Exchange, Progress, SCRATCH};
pub use gauge::Gauge;
pub use open::{Listener, OpenError, Options, SocketType, Step};
pub use policy::{Gate, Permission, Policy};
pub use report::{Accepted, Report};
pub use service::{SendFile, Service};
pub use socket_address::SocketAddress;
pub use socket_file::SocketFile;
