//! Listening sockets.
//!
//! A [`Service`] says what is done with the connections that are accepted; an [`Exchange`] does
//! it for one of them, in whichever way its caller waits: a blocking thread or process for each
//! connection, or one event loop for all.

mod exchange;
mod http;
mod service;
mod transfer;

pub use exchange::{Exchange, Progress, SCRATCH};
pub use service::{SendFile, Service};
