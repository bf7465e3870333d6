//! From what selectors report to what is worth telling: a state machine without system calls.
//!
//! A [`Tracker`] follows one fd under one selector. It is fed with readiness and with times, and
//! gives [`Change`]s; its [`Durations`] sum them up. It knows only what it is fed, so what happens
//! faster than somebody looks is not in it. [`turning`] follows an event loop in the same way.

mod change;
mod durations;
mod tracker;
pub mod turning;

pub use change::Change;
pub use durations::Durations;
pub use tracker::Tracker;
