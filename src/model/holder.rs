//! An fd of a process: who holds something, or its other end.

use super::ids::FdNum;
use super::process::Process;
use std::sync::Arc;

/// An fd of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub process: Arc<Process>,
    /// The fd.
    pub fd: FdNum,
}
