//! The harness: running fdscope, helper processes that it looks at, and comparing JSON.

mod asleep;
mod background;
mod compare;
mod ended;
mod fake;
mod fdscope;
mod helper;
mod keeper;
mod network;
mod pty;
mod raw;

pub(crate) use asleep::{eventually_in, eventually_state};
pub(crate) use background::{Background, PATIENCE, eventually};
pub(crate) use compare::{check, difference, number, sorted};
pub(crate) use ended::Ended;
pub(crate) use fake::FakeProc;
pub(crate) use fdscope::{Fdscope, Run};
pub(crate) use helper::{Helper, run_exhibit};
pub(crate) use keeper::{Keeper, Skip, capable, needs, numbers, own_mounts, own_network};
pub(crate) use network::{add_loopback_address, in_own_network, lower_loopback, raise_loopback};
pub(crate) use pty::{OnTerminal, run_on_terminal, terminal};
pub(crate) use raw::{
    NOBODY, bytes_of, call, call_fd, confine, die_with_parent, forbid, limit, pass, run_as, run_as_other,
    run_without, traceable,
};
