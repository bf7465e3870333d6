//! Reading accept queues: of our own sockets by asking them, of all others by sock_diag.

use super::event::Listening;
use crate::listener::{Listener, SocketAddress};
use crate::model::{AcceptQueue, Inode};
use crate::sock::{Diag, ListenCounters, ListeningSocket, Netstat};
use crate::sys;
use rustix::fd::{AsFd as _, BorrowedFd};
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// Where one queue is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Our own TCP socket.
    Own(usize),
    /// Any unix socket.
    Unix(Inode),
    /// Somebody's TCP socket, with its port.
    Tcp(Inode, NonZero<u16>),
    /// The kernel tells nobody.
    None,
}

/// The sources, and what they are read with.
pub(super) struct Meters {
    pub(super) sources: Vec<Source>,
    listeners: Arc<[Listener]>,
    diag: Option<Diag>,
    netstat: Option<Netstat>,
    start: Option<ListenCounters>,
}

/// What a reading gives.
pub(super) enum Reading {
    /// The queue.
    Queue(AcceptQueue),
    /// There is no such listener any more.
    Gone,
    /// Nothing is known, now or ever.
    Unknown,
}

impl Meters {
    /// Of our own listeners. Everything is opened now: later there may be no fd left to do so.
    pub(super) fn own(listeners: Arc<[Listener]>, netstat: &Path) -> Self {
        let source = |(i, listener): (usize, &Listener)| match &listener.local {
            SocketAddress::Inet(_) => Source::Own(i),
            SocketAddress::Vsock { .. } => Source::None,
            // Elsewhere sock_diag would say that there is no such socket.
            _ if !is_of_our_network(listener.socket.as_fd()) => Source::None,
            _ => listener.inode().map_or(Source::None, Source::Unix),
        };
        let sources: Vec<Source> = listeners.iter().enumerate().map(source).collect();
        let unix = sources.iter().any(|s| matches!(s, Source::Unix(_)));
        let diag = if unix { Diag::open().ok() } else { None };
        let counted =
            |l: &Listener| matches!(l.local, SocketAddress::Inet(_)) && is_of_our_network(l.socket.as_fd());
        let netstat = listeners.iter().any(counted).then(|| self::open(netstat)).flatten();
        Self::new(sources, listeners, diag, netstat)
    }

    /// Of others', in the network namespace that `diag` is of.
    pub(super) fn others(sources: Vec<Source>, diag: Diag, netstat: &Path) -> Self {
        let tcp = sources.iter().any(|s| matches!(s, Source::Tcp(..)));
        let netstat = if tcp { self::open(netstat) } else { None };
        Self::new(sources, Arc::new([]), Some(diag), netstat)
    }

    fn new(
        sources: Vec<Source>,
        listeners: Arc<[Listener]>,
        diag: Option<Diag>,
        mut netstat: Option<Netstat>,
    ) -> Self {
        let start = netstat.as_mut().and_then(|n| n.read().ok());
        Self { sources, listeners, diag, netstat, start }
    }

    /// All queues.
    pub(super) fn read_all(&mut self) -> Vec<Reading> {
        let mut dumps: Vec<(NonZero<u16>, io::Result<Vec<ListeningSocket>>)> = Vec::new();
        let mut readings = Vec::with_capacity(self.sources.len());
        for i in 0..self.sources.len() {
            readings.push(match (self.sources[i], &mut self.diag) {
                (Source::Tcp(inode, port), Some(diag)) => {
                    // Those on one port, as with SO_REUSEPORT, come together.
                    if !dumps.iter().any(|(of, _)| *of == port) {
                        dumps.push((port, diag.tcp_listeners_on(port)));
                    }
                    match dumps.iter().find(|(of, _)| *of == port) {
                        Some((_, Ok(dump))) => find(dump, inode),
                        _ => Reading::Unknown,
                    }
                }
                _ => self.read(i),
            });
        }
        readings
    }

    /// Sets what is known of the queues now.
    pub(super) fn fill(&mut self, listening: &mut [Listening]) {
        for (listening, reading) in listening.iter_mut().zip(self.read_all()) {
            if let Reading::Queue(queue) = reading {
                listening.queue = Some(queue);
            }
        }
    }

    /// One queue, of our own sockets or of unix.
    pub(super) fn read(&mut self, i: usize) -> Reading {
        match (self.sources[i], &mut self.diag) {
            (Source::Own(listener), _) => {
                own_queue(self.listeners[listener].socket.as_fd()).unwrap_or(Reading::Unknown)
            }
            (Source::Unix(inode), Some(diag)) => match diag.unix_listener(inode) {
                Ok(Some(found)) => Reading::Queue(found.queue),
                Ok(None) => Reading::Gone,
                Err(_) => Reading::Unknown,
            },
            _ => Reading::Unknown,
        }
    }

    /// One queue, its drops taken to be what they were: as connections come this is read for each,
    /// and they cost a system call more.
    pub(super) fn peek(&mut self, i: usize, drops: Option<u64>) -> Reading {
        if let Source::Own(listener) = self.sources[i] {
            let socket = self.listeners[listener].socket.as_fd();
            return tcp_queue(socket, drops).unwrap_or(Reading::Unknown);
        }
        self.read(i)
    }

    /// What the network namespace has counted since the start.
    pub(super) fn counters(&mut self) -> Option<ListenCounters> {
        let start = self.start?;
        let now = self.netstat.as_mut()?.read().ok()?;
        Some(ListenCounters {
            overflows: now.overflows.saturating_sub(start.overflows),
            drops: now.drops.saturating_sub(start.drops),
        })
    }
}

fn find(dump: &[ListeningSocket], inode: Inode) -> Reading {
    dump.iter().find(|l| l.inode == inode).map_or(Reading::Gone, |found| Reading::Queue(found.queue))
}

fn open(netstat: &Path) -> Option<Netstat> {
    Netstat::open(netstat).ok()
}

fn own_queue(socket: BorrowedFd<'_>) -> io::Result<Reading> {
    tcp_queue(socket, sys::socket_drops(socket).ok())
}

fn tcp_queue(socket: BorrowedFd<'_>, drops: Option<u64>) -> io::Result<Reading> {
    let info = sys::tcp_info(socket)?;
    if !info.listens {
        return Ok(Reading::Gone);
    }
    Ok(Reading::Queue(AcceptQueue { waiting: info.unacked, max: Some(info.sacked), drops }))
}

/// Whether a socket, which may have been given to us, is of the network namespace that we are in.
fn is_of_our_network(socket: BorrowedFd<'_>) -> bool {
    let fresh = rustix::net::socket_with(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    );
    let ours = fresh.ok().and_then(|fresh| sys::netns_cookie(fresh.as_fd()).ok());
    ours.is_none() || ours == sys::netns_cookie(socket).ok()
}
