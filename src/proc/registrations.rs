//! What an epoll fd of a process watches.

use super::io::{NumberName, open_dir, read_record_at};
use super::lookup::ProcLookup;
use super::process::{OpenError, ProcessDir};
use super::system::System;
use crate::kind::{self, FdInfo};
use crate::model::{FdNum, Pid, Registration};
use rustix::fd::AsFd as _;

impl ProcessDir {
    /// The registrations of an epoll fd in the table that a task has, by fd. Whether they are stale is
    /// not known.
    pub fn registrations(&self, task: Pid, epoll: FdNum) -> Result<Vec<Registration>, OpenError> {
        let own = (task != self.pid()).then(|| self.task(task)).transpose()?;
        let parent = own.as_ref().map_or(self.dir(), |own| own.as_fd());
        let mut text = Vec::new();
        read_record_at(open_dir(parent, c"fdinfo")?, NumberName::new(epoll.0).as_c_str(), &mut text)?;
        Ok(kind::registrations(&FdInfo::parse(&text)))
    }

    /// Finds out which of them are stale.
    pub fn mark_stale(
        &self,
        system: &System,
        task: Pid,
        epoll: FdNum,
        registrations: &mut [Registration],
    ) -> Result<(), OpenError> {
        let own = (task != self.pid()).then(|| self.task(task)).transpose()?;
        let parent = own.as_ref().map_or(self.dir(), |own| own.as_fd());
        let fds = open_dir(parent, c"fd")?;
        let lookup = ProcLookup::new(system, self, task, parent, fds.as_fd());
        kind::mark_stale(&lookup, epoll, registrations);
        Ok(())
    }
}
