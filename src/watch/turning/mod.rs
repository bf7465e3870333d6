//! Whether an event loop turns: judged from looks at what it watches, without system calls.
//!
//! A [`Judge`] follows one loop. At each look it is told whether anything waits for the loop
//! ([`Judge::ready`], [`Judge::clear`]); as far as somebody looked, what each fd is like
//! ([`Judge::see`], [`Judge::gone`], [`Judge::whole`]) and what the threads do that serve it
//! ([`Judge::crew`]). [`Judge::judge`] then says what has changed.
//!
//! That something waits whenever one looks is no stall: a loop with much to do is like that. A loop
//! is stalled if something waits and nothing that it watches was served for a while. What counts as
//! served: the loop was clear; bytes or connections were taken from an fd, or bytes given to one, as
//! its [`crate::model::Marks`] show; an fd stopped being ready, or was closed. Marks are not worth
//! the same on all fds, so where they prove too little, the threads must show it: one that stands
//! still in a call, or has used no CPU time. A thread that waits for the loop's own fds is proof that
//! it is well.

mod change;
mod crew;
mod judge;
mod member;
mod members;
mod tally;

pub use change::{Change, Stall};
pub use crew::{Crew, Usage};
pub use judge::{Judge, Limits, Wants};
pub use member::{Member, Sighting};
pub use tally::{Shares, Totals};
