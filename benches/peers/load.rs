//! A load of mixed fds.

use crate::Result;
use crate::holder::{self, Holder};
use crate::network;
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::inotify;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;

/// Running holders.
pub(crate) struct Load {
    /// Who they are.
    pub(crate) pids: Vec<u32>,
    /// Every fd that they hold.
    pub(crate) fds: HashSet<(u32, u32)>,
    _holders: Vec<Holder>,
}

impl Load {
    /// Starts `processes` holders of `fds` fds each, or of as many as the limit allows.
    pub(crate) fn start(processes: usize, fds: Option<usize>) -> Result<Self> {
        let fds = fds.unwrap_or(usize::MAX).to_string();
        let part = ["--hold", &fds, network::address()?];
        let mut holders = (0..processes).map(|_| Holder::start(&part)).collect::<Result<Vec<_>>>()?;
        let (mut pids, mut fds) = (Vec::new(), HashSet::new());
        for holder in &mut holders {
            let line = holder.line()?;
            let made: usize = line.strip_prefix("ready ").ok_or("not ready")?.parse()?;
            let pid = holder.pid();
            let before = fds.len();
            for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
                let fd = entry?.file_name().to_str().ok_or("not a number")?.parse()?;
                fds.insert((pid, fd));
            }
            // It was born with a few more.
            if fds.len() - before < made + 3 {
                return Err("the load does not hold what it opened".into());
            }
            pids.push(pid);
        }
        Ok(Self { pids, fds, _holders: holders })
    }
}

/// What a holder does: open fds, say `ready`, wait for the end of stdin.
pub(crate) fn hold(fds: &str, address: &str) -> Result<()> {
    let wanted = fds.parse()?;
    let mut held = Vec::new();
    while held.len() < wanted {
        match a_mixture(address) {
            Ok(some) => held.extend(some),
            // Singly, to use the limit up.
            Err(_) => match eventfd(0, EventfdFlags::empty()) {
                Ok(fd) => held.push(fd),
                Err(_) => break,
            },
        }
    }
    held.truncate(wanted);
    println!("ready {}", held.len());
    holder::wait()
}

/// One fd of each sort, or two where they come in pairs.
fn a_mixture(address: &str) -> io::Result<Vec<OwnedFd>> {
    let program = std::env::current_exe()?;
    let (reader, writer) = rustix::pipe::pipe()?;
    let (left, right) = UnixStream::pair()?;
    let counter = eventfd(7, EventfdFlags::NONBLOCK)?;
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::empty())?;
    let hour = Timespec { tv_sec: 3600, tv_nsec: 0 };
    let every = Itimerspec { it_interval: hour, it_value: hour };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every)?;
    let selector = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for fd in [reader.as_fd(), left.as_fd(), counter.as_fd(), timer.as_fd()] {
        epoll::add(&selector, fd, epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
    }
    // A user may have 128 of these, which a load of 200 processes exceeds.
    let watcher = match inotify::init(inotify::CreateFlags::CLOEXEC) {
        Ok(watcher) => {
            inotify::add_watch(&watcher, "/", inotify::WatchFlags::DELETE_SELF)?;
            watcher
        }
        Err(_) => eventfd(0, EventfdFlags::empty())?,
    };
    Ok(vec![
        File::open(&program)?.into(),
        reader,
        writer,
        left.into(),
        right.into(),
        TcpListener::bind(address)?.into(),
        UdpSocket::bind(address)?.into(),
        counter,
        selector,
        timer,
        watcher,
        File::open("/dev/null")?.into(),
        File::open(program.parent().unwrap_or(&program))?.into(),
        File::open("/proc/self/maps")?.into(),
    ])
}
