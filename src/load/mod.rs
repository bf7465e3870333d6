//! A load on a server: clients that ask, look at every answer, and take the time.
//!
//! [`Clients`] have a number of connections to one server, a few of which are busy: each of those
//! asks again as soon as it has its answer. They are event loops, one or a few, so that a thousand
//! connections cost no more than those that are busy. A [`Protocol`] says what is asked, and whether
//! an answer is right; [`Lines`] is that of servers that send back what they get. What came of it are
//! [`Answers`].

mod answers;
mod clients;
mod connection;
mod lines;
mod protocol;
#[cfg(test)]
mod tests;
mod worker;

pub use answers::{Answers, Latencies};
pub use clients::{Bounds, Clients, Crowd, Failure, Mode};
pub use lines::Lines;
pub use protocol::Protocol;
