//! The load: processes that hold mixed fds until they are told to end.

use crate::Result;
use nix::sched::{CloneFlags, unshare};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::inotify;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Running holders. They end when it is dropped, and should this program die, for then their
/// stdin ends.
pub(crate) struct Load {
    /// Who they are.
    pub(crate) pids: Vec<u32>,
    /// Every fd that they hold.
    pub(crate) fds: HashSet<(u32, u32)>,
    holders: Vec<Child>,
}

/// Where sockets are bound: an address of no interface, which a new network namespace takes while
/// its loopback is down, or loopback.
static ADDRESS: OnceLock<&str> = OnceLock::new();

/// Moves this process and all that it starts to a network namespace without sockets.
pub(crate) fn isolate() {
    let address = match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => "0.0.0.0:0",
        Err(e) => {
            eprintln!("skipped: a network namespace, because {e}: the sockets of others count too");
            "127.0.0.1:0"
        }
    };
    ADDRESS.get_or_init(|| address);
}

impl Load {
    /// Starts `processes` holders of `fds` fds each, or of as many as the limit allows.
    pub(crate) fn start(processes: usize, fds: Option<usize>) -> Result<Self> {
        let fds = fds.unwrap_or(usize::MAX).to_string();
        let mut load = Self { pids: Vec::new(), fds: HashSet::new(), holders: Vec::new() };
        for _ in 0..processes {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .args(["--hold", &fds, ADDRESS.get().ok_or("not isolated")?])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            let holder = command.spawn()?;
            load.pids.push(holder.id());
            load.holders.push(holder);
        }
        for holder in &mut load.holders {
            let mut line = String::new();
            BufReader::new(holder.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
            let made: usize = match line.trim_end().strip_prefix("ready ") {
                Some(n) => n.parse()?,
                None => return Err("a process of the load did not get ready".into()),
            };
            let entries = std::fs::read_dir(format!("/proc/{}/fd", holder.id()))?;
            let before = load.fds.len();
            for entry in entries {
                let fd = entry?.file_name().to_str().ok_or("not a number")?.parse()?;
                load.fds.insert((holder.id(), fd));
            }
            // It was born with a few more.
            if load.fds.len() - before < made + 3 {
                return Err("the load does not hold what it opened".into());
            }
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            drop(holder.stdin.take());
            let _ = holder.wait();
        }
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
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
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
