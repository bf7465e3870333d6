//! A server with an event loop that does what it is told: this test binary once more.
//!
//! It listens on TCP, and takes a byte of a connection for a command: `e` is answered, `b` blocks the
//! loop in a read of a pipe, `n` in a wait for that in another loop, `p` in a poll of that alone, `c` has it compute, `d` has it leave
//! this connection unread from then on.
//! On its standard input, `go` ends both, other words are for what the loop is to do once.

use crate::support::{Ended, confine, eventually_in};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{FdSetElement, PollFd, PollFlags, fd_set_insert, fd_set_num_elements, poll, select};
use rustix::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use rustix::io::retry_on_intr;
use rustix::process::{PTracer, set_ptracer};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Says what kind of loop it has, in its environment.
const LOOP: &str = "FDSCOPE_TEST_LOOP";

/// The calls in which it waits.
const WAITS: &[libc::c_long] = &[
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
];

/// One that outlives its test by an accident ends by this.
const SECONDS: u32 = 120;

/// The server; dropped, it is ended.
pub(super) struct Server {
    child: Ended,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
    /// The thread of its loop.
    pub(super) tid: u64,
    /// Its epoll fd, if it has one, its listener, and the pipe that blocks it.
    pub(super) epoll: i64,
    pub(super) listener: i64,
    pub(super) gate: i64,
}

impl Server {
    /// Starts one that waits with `level` or `edge` epoll, `poll` or `select`; or `twice`, with a poll that
    /// names the listener at both ends.
    pub(super) fn start(how: &str) -> Self {
        Self::start_with(how, |_| {})
    }

    /// Starts one, its command changed first.
    pub(super) fn start_with(how: &str, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("our own path"));
        command
            .args(["loops::server::process", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(LOOP, how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        confine(&mut command, SECONDS);
        change(&mut command);
        let mut child = Ended(command.spawn().expect("the server starts"));
        let stdin = child.stdin.take().expect("it was piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        let words = loop {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).expect("it writes text");
            assert!(read > 0, "the server has ended");
            if let Some(words) = line.strip_prefix("SERVES ") {
                break words.trim().to_owned();
            }
        };
        let mut words = words.split(' ');
        let mut next = || words.next().expect("a word");
        let server = Self {
            address: next().parse().expect("an address"),
            tid: next().parse().expect("a thread"),
            epoll: next().parse().expect("an fd"),
            listener: next().parse().expect("an fd"),
            gate: next().parse().expect("an fd"),
            child,
            stdin,
            stdout,
        };
        server.eventually_waits();
        server
    }

    /// Waits until its loop waits: it has begun to, or has served all that came.
    pub(super) fn eventually_waits(&self) {
        eventually_in(self.pid(), self.tid, WAITS);
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client of it.
    pub(super) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }

    /// Tells it something.
    pub(super) fn tell(&mut self, word: &str) {
        writeln!(self.stdin, "{word}").expect("it reads");
    }

    /// Has a client hold it up with `what`, and waits until it does: in the call, if it is to block.
    pub(super) fn hold_up(&mut self, client: &mut TcpStream, what: &[u8]) {
        client.write_all(what).expect("it is connected");
        let mut line = String::new();
        while line.trim() != "HELD UP" {
            line.clear();
            let read = self.stdout.read_line(&mut line).expect("it writes text");
            assert!(read > 0, "the server has ended");
        }
        match what {
            b"b" => eventually_in(self.pid(), self.tid, &[libc::SYS_read]),
            b"n" | b"p" => eventually_in(self.pid(), self.tid, WAITS),
            _ => {}
        }
    }

    /// Ends it.
    pub(super) fn end(&mut self) {
        self.child.end();
    }
}

/// A client that is answered: so its loop turns.
pub(super) fn echo(client: &mut TcpStream) {
    client.write_all(b"e").expect("it is connected");
    client.read_exact(&mut [0]).expect("it is answered");
}

/// Whether the loop is to stop computing, until it is asked again.
static GO: AtomicBool = AtomicBool::new(false);

/// What the server runs; nothing in an ordinary run of the tests.
#[test]
#[ignore = "it is the server of the other tests, which start it"]
fn process() {
    let Some(how) = std::env::var_os(LOOP) else { return };
    // Where Yama restricts tracing to parents, fdscope is none.
    let _ = set_ptracer(PTracer::Any);
    let how = how.into_string().expect("a word");
    let (gate, opener) = rustix::pipe::pipe().expect("a pipe");
    let listener = match std::env::var("FDSCOPE_TEST_LISTENER") {
        // One that was inherited.
        Ok(fd) => {
            let fd = fd.parse().expect("an fd");
            // Nobody else in this process has it.
            TcpListener::from(take(fd))
        }
        Err(_) => {
            let address = std::env::var("FDSCOPE_TEST_ADDRESS");
            TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).expect("a listener")
        }
    };
    listener.set_nonblocking(true).expect("a listener");
    let others = std::env::var("FDSCOPE_TEST_THREADS").map_or(0, |n| n.parse().expect("a number"));
    for _ in 0..others {
        let stack = std::thread::Builder::new().stack_size(1 << 16);
        stack
            .spawn(|| {
                loop {
                    std::thread::park()
                }
            })
            .expect("a thread");
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let serve = move || {
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let mut turner = Turner::new(&how, listener, gate);
        sender
            .send((tid, turner.epoll_fd(), turner.listener.as_raw_fd(), turner.gate.as_raw_fd()))
            .expect("a word");
        turner.run();
    };
    std::thread::Builder::new().name("turner".to_owned()).spawn(serve).expect("a thread");
    let (tid, epoll, listener, gate) = receiver.recv().expect("it serves");
    // The listener's address, by an fd that the loop's thread has.
    let address = address_of(listener);
    println!("\nSERVES {address} {tid} {epoll} {listener} {gate}");
    for line in std::io::stdin().lines() {
        match line.expect("text").as_str() {
            "go" => {
                GO.store(true, Ordering::SeqCst);
                rustix::io::write(&opener, b"x").expect("a pipe");
            }
            "exec" => {
                let error = std::os::unix::process::CommandExt::exec(Command::new("sleep").arg("100"));
                panic!("sleep cannot be run: {error}");
            }
            word => panic!("what is '{word}'?"),
        }
    }
    std::process::exit(0);
}

#[allow(unsafe_code)]
fn take(fd: i32) -> OwnedFd {
    // SAFETY: the test that started us has given it to us, for nobody else.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn address_of(listener: i32) -> SocketAddr {
    let path = format!("/proc/self/fd/{listener}");
    let link = std::fs::read_link(path).expect("a link").into_os_string().into_string().expect("text");
    let inode: u64 = link.trim_start_matches("socket:[").trim_end_matches(']').parse().expect("an inode");
    let mut diag = fdscope::sock::Diag::open().expect("sock_diag");
    let all = diag.tcp_listeners().expect("listeners");
    all.iter().find(|l| l.inode.0 == inode).and_then(|l| l.local).expect("it listens").0
}

/// The loop.
struct Turner {
    how: String,
    epoll: OwnedFd,
    listener: TcpListener,
    gate: OwnedFd,
    clients: BTreeMap<i32, (TcpStream, bool)>,
}

impl Turner {
    fn new(how: &str, listener: TcpListener, gate: OwnedFd) -> Self {
        let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll fd");
        let turner = Self { how: how.to_owned(), epoll, listener, gate, clients: BTreeMap::new() };
        turner.register(&turner.listener);
        turner
    }

    fn waits_with_epoll(&self) -> bool {
        matches!(self.how.as_str(), "level" | "edge")
    }

    fn epoll_fd(&self) -> i32 {
        if self.waits_with_epoll() { self.epoll.as_raw_fd() } else { -1 }
    }

    fn register(&self, fd: impl AsFd) {
        if self.waits_with_epoll() {
            let flags = if self.how == "edge" { EventFlags::IN | EventFlags::ET } else { EventFlags::IN };
            let data = EventData::new_u64(fd.as_fd().as_raw_fd() as u64);
            epoll::add(&self.epoll, fd, data, flags).expect("a registration");
        }
    }

    fn run(&mut self) {
        loop {
            for fd in self.wait() {
                if fd == self.listener.as_raw_fd() {
                    while let Ok((client, _)) = self.listener.accept() {
                        client.set_nonblocking(true).expect("a socket");
                        self.register(&client);
                        self.clients.insert(client.as_raw_fd(), (client, false));
                    }
                } else if !self.serve(fd) {
                    self.clients.remove(&fd);
                }
            }
        }
    }

    /// The fds that are ready.
    fn wait(&self) -> Vec<i32> {
        let others =
            self.clients.values().filter(|(_, ignored)| !ignored).map(|(client, _)| client.as_raw_fd());
        let fds: Vec<i32> = std::iter::once(self.listener.as_raw_fd()).chain(others).collect();
        match self.how.as_str() {
            "poll" | "twice" => {
                let clients = self.clients.values().filter(|(_, ignored)| !ignored).map(|(c, _)| c.as_fd());
                let mut polled: Vec<PollFd<'_>> = std::iter::once(self.listener.as_fd())
                    .chain(clients)
                    .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                    .collect();
                if self.how == "twice" {
                    polled.push(PollFd::new(&self.listener, PollFlags::PRI));
                }
                retry_on_intr(|| poll(&mut polled, None)).expect("poll");
                let ready = polled.iter().map(|p| !p.revents().is_empty());
                fds.into_iter().zip(ready).filter(|(_, ready)| *ready).map(|(fd, _)| fd).collect()
            }
            "select" => {
                let bound = fds.iter().max().expect("a listener") + 1;
                let mut set = vec![FdSetElement::default(); fd_set_num_elements(fds.len(), bound)];
                fds.iter().for_each(|&fd| fd_set_insert(&mut set, fd));
                selected(bound, &mut set);
                fds.into_iter()
                    .filter(|&fd| rustix::event::FdSetIter::new(&set).any(|one| one == fd))
                    .collect()
            }
            _ => {
                let mut events = Vec::with_capacity(64);
                retry_on_intr(|| epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None))
                    .expect("epoll");
                events.iter().map(|event| event.data.u64() as i32).collect()
            }
        }
    }

    /// Serves a client; whether it is still there.
    fn serve(&mut self, fd: i32) -> bool {
        let Some((client, ignored)) = self.clients.get_mut(&fd).filter(|(_, ignored)| !ignored) else {
            return true;
        };
        let mut byte = [0];
        loop {
            match client.read(&mut byte) {
                Ok(0) => return false,
                Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
                Ok(_) => match byte[0] {
                    b'e' => client.write_all(&byte).expect("room for a byte"),
                    b'b' => {
                        println!("HELD UP");
                        let _ = rustix::io::read(&self.gate, &mut byte);
                    }
                    b'n' => {
                        println!("HELD UP");
                        wait_for(&self.gate);
                        let _ = rustix::io::read(&self.gate, &mut byte);
                    }
                    b'p' => {
                        println!("HELD UP");
                        let mut alone = [PollFd::new(&self.gate, PollFlags::IN)];
                        retry_on_intr(|| poll(&mut alone, None)).expect("poll");
                        let _ = rustix::io::read(&self.gate, &mut byte);
                    }
                    b'c' => {
                        println!("HELD UP");
                        while !GO.swap(false, Ordering::SeqCst) {
                            std::hint::spin_loop();
                        }
                    }
                    b'd' => {
                        *ignored = true;
                        return true;
                    }
                    other => panic!("what is {other}?"),
                },
            }
        }
    }
}

/// Waits for an fd in a loop that is made for that.
fn wait_for(fd: &OwnedFd) {
    let nested = epoll::create(CreateFlags::CLOEXEC).expect("an epoll fd");
    epoll::add(&nested, fd, EventData::new_u64(0), EventFlags::IN).expect("a registration");
    let mut events = Vec::with_capacity(1);
    retry_on_intr(|| epoll::wait(&nested, rustix::buffer::spare_capacity(&mut events), None)).expect("epoll");
}

#[allow(unsafe_code)]
fn selected(bound: i32, set: &mut [FdSetElement]) {
    // SAFETY: the fds are those of this thread, which are open.
    unsafe { select(bound, Some(set), None, None, None) }.expect("select");
}
