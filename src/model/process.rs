//! A process, as far as each of its rows names it.

use super::ids::Pid;

/// What all rows of one process share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: Pid,
    /// The command name, `proc_pid_comm(5)`: at most 15 bytes, any bytes.
    pub command: Vec<u8>,
    /// The effective user id.
    pub uid: u32,
    /// The user's name, where it was asked for and the system knows one.
    pub user: Option<String>,
}
