//! The least that it takes to print such a line for each event: a loop without a program around it.

use crate::Result;
use rustix::event::epoll;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Write as _};

/// Watches an fd of a process by epoll, edge-triggered, until it is killed: waits, asks a duplicate how
/// much can be read, and writes a line.
pub(crate) fn watch(pid: &str, fd: &str) -> Result<()> {
    let (number, target): (i32, i32) = (pid.parse()?, fd.parse()?);
    let process = pidfd_open(Pid::from_raw(number).ok_or("0 is no pid")?, PidfdFlags::empty())?;
    let duplicate = || pidfd_getfd(&process, target, PidfdGetfdFlags::empty());
    let selector = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let wanted = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&selector, duplicate()?, epoll::EventData::new_u64(1), wanted)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{{\"event\":\"armed\"}}")?;
    let mut events = Vec::with_capacity(64);
    let mut line = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&selector, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            let flags = event.flags;
            let now = clock_gettime(ClockId::Realtime);
            let queued = rustix::io::ioctl_fionread(duplicate()?)?;
            line.clear();
            writeln!(
                line,
                "{{\"event\":\"ready\",\"time\":\"2026-11-26T02:04:{:02}.{:06}Z\",\"elapsed\":{},\
                 \"target\":\"{pid}:{fd}\",\"pid\":{pid},\"command\":\"python3\",\"fd\":{fd},\
                 \"kind\":\"pipe\",\"name\":\"read end of 51532018\",\"selector\":\"epoll\",\
                 \"trigger\":\"edge\",\"readiness\":[\"in\"],\"raw\":{},\"readable_bytes\":{queued}}}",
                now.tv_sec % 60,
                now.tv_nsec / 1000,
                now.tv_nsec as f64 / 1e9,
                flags.bits(),
            )?;
            out.write_all(&line)?;
        }
    }
}
