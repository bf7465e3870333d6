//! One conformance suite for all selectors: the contract of `fdscope::selector`, and what the
//! kernel reports on every kind of fd, measured on the machine on which this runs.

mod support;

mod contract;
mod many;
mod states;
mod table;
mod timeouts;
mod triggers;
