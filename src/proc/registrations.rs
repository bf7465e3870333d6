//! What an epoll fd of a process watches.

use super::io::{NumberName, open_dir, read_record_at};
use super::process::{OpenError, ProcessDir};
use crate::kind::{self, FdInfo, Registration};
use crate::model::{FdNum, Pid};
use rustix::fd::AsFd as _;

impl ProcessDir {
    /// The registrations of an epoll fd in the table that a task has, in the kernel's order.
    pub fn registrations(&self, task: Pid, epoll: FdNum) -> Result<Vec<Registration>, OpenError> {
        let own = (task != self.pid()).then(|| self.task(task)).transpose()?;
        let parent = own.as_ref().map_or(self.dir(), |own| own.as_fd());
        let mut text = Vec::new();
        read_record_at(open_dir(parent, c"fdinfo")?, NumberName::new(epoll.0).as_c_str(), &mut text)?;
        Ok(kind::registrations(&FdInfo::parse(&text)).collect())
    }
}
