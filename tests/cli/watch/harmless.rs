//! That those who are watched come to no harm: nothing of theirs is held, consumed or changed.

use super::{ALL, here, here_all, watch};
use crate::support::{Background, PATIENCE, check, eventually};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::AsRawFd;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::net::{TcpListener, TcpStream};

/// A run that goes on when what it is about is closed, since it watches another fd, too: so that
/// nothing is let go because it ends.
struct Watch {
    run: Background,
    idle: (PipeReader, PipeWriter),
}

impl Watch {
    fn start(fd: &impl AsRawFd, with: &str) -> Self {
        let idle = pipe().unwrap();
        let fds = here_all(&[fd.as_raw_fd(), idle.0.as_raw_fd()]);
        Self { run: watch(format!("{fds} --with {with}")), idle }
    }

    fn ready(&mut self) -> Value {
        self.run.event("ready")
    }

    fn goes_on(mut self) {
        self.run.event("closed");
        let (reader, mut writer) = self.idle;
        writer.write_all(b"x").unwrap();
        self.run.record("the other is watched", |e| e["event"] == "ready" && e["fd"] == reader.as_raw_fd());
    }
}

/// The peer of a watched socket is told at once that it was closed.
#[test]
fn the_peer_sees_the_end() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = listener.accept().unwrap();
        let mut run = Watch::start(&socket, with);
        peer.write_all(b"x").unwrap();
        run.ready();
        // Without unread data, that it is no reset.
        assert_eq!((&socket).read(&mut [0; 9]).unwrap(), 1);
        drop(socket);
        assert_eq!(peer.read(&mut [0; 9]).unwrap(), 0, "{with}");
        run.goes_on();
    }
}

/// A watched listener that is closed listens no more, and its port is free.
#[test]
fn a_listener_can_be_bound_again() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut run = Watch::start(&listener, with);
        let client = TcpStream::connect(address).unwrap();
        run.ready();
        drop((client, listener.accept().unwrap()));
        drop(listener);
        // Other tests may be starting programs, which have all that we have for a moment.
        let again = OnceCell::new();
        eventually("it can be bound", || TcpListener::bind(address).is_ok_and(|l| again.set(l).is_ok()));
        let again = again.into_inner().unwrap();
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(again.accept().unwrap().1, client.local_addr().unwrap());
        run.goes_on();
    }
}

/// A writer is told that the watched reader has gone.
#[test]
fn a_writer_gets_epipe() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let mut run = Watch::start(&reader, with);
        rustix::io::write(&writer, b"x").unwrap();
        run.ready();
        drop(reader);
        eventually("EPIPE", || rustix::io::write(&writer, b"x") == Err(Errno::PIPE));
        run.goes_on();
    }
}

/// A reader is told that the watched writer has gone.
#[test]
fn a_reader_sees_the_end() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        let (mut reader, writer) = pipe().unwrap();
        let mut run = Watch::start(&writer, with);
        check(&run.ready(), &json!({"readiness": ["out"]}));
        drop(writer);
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0, "{with}");
        run.goes_on();
    }
}

/// A lock goes with the last fd of a description.
#[test]
fn a_lock_is_released() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ["poll", "select"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lock = |file: &File| file.try_lock();
        let locked = file.reopen().unwrap();
        lock(&locked).unwrap();
        let mut run = Watch::start(&locked, with);
        run.ready();
        assert!(lock(&file.reopen().unwrap()).is_err());
        drop(locked);
        eventually("it is released", || lock(&file.reopen().unwrap()).is_ok());
        run.goes_on();
    }
}

/// A process's own epoll set goes on as if nobody looked, edges and oneshots included.
#[test]
fn its_epoll_is_undisturbed() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        let (edge, edge_writer) = pipe().unwrap();
        let (once, once_writer) = pipe().unwrap();
        let set = epoll::create(CreateFlags::CLOEXEC).unwrap();
        epoll::add(&set, &edge, EventData::new_u64(1), EventFlags::IN | EventFlags::ET).unwrap();
        let oneshot = EventFlags::IN | EventFlags::ONESHOT;
        epoll::add(&set, &once, EventData::new_u64(2), oneshot).unwrap();
        let fds = [edge.as_raw_fd(), once.as_raw_fd(), set.as_raw_fd()];
        let mut run = watch(format!("{} --with {with}", here_all(&fds)));
        let mut seen = 0;
        let mut all_seen = |run: &mut crate::support::Background, of: &[i32]| {
            run.until("all are seen", |all| {
                let ready = |fd: &i32| all[seen..].iter().any(|e| e["event"] == "ready" && e["fd"] == *fd);
                of.iter().all(ready)
            });
            seen = run.seen().len();
        };
        let tokens = || -> Vec<u64> {
            let mut events = Vec::with_capacity(8);
            let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
            epoll::wait(&set, rustix::buffer::spare_capacity(&mut events), Some(&now)).unwrap();
            let mut tokens: Vec<_> = events.iter().map(|e| e.data.u64()).collect();
            tokens.sort_unstable();
            tokens
        };
        assert_eq!(tokens(), [] as [u64; 0]);
        (&edge_writer).write_all(b"x").unwrap();
        (&once_writer).write_all(b"x").unwrap();
        all_seen(&mut run, &fds);
        assert_eq!(tokens(), [1, 2], "{with}");
        // The one has told, the other tells once more.
        (&edge_writer).write_all(b"x").unwrap();
        (&once_writer).write_all(b"x").unwrap();
        assert_eq!(tokens(), [1], "{with}");
        epoll::modify(&set, &once, EventData::new_u64(2), oneshot).unwrap();
        assert_eq!(tokens(), [2], "{with}");
        assert_eq!(tokens(), [] as [u64; 0]);
        for mut reader in [&edge, &once] {
            assert_eq!(reader.read(&mut [0; 9]).unwrap(), 2);
        }
        drop(run);
    }
}

/// The flags belong to all who share a description.
#[test]
fn flags_stay() {
    if super::cannot_watch_others() {
        return;
    }
    for with in ALL {
        for flags in [PipeFlags::CLOEXEC, PipeFlags::CLOEXEC | PipeFlags::NONBLOCK] {
            let (reader, writer) = pipe_with(flags).unwrap();
            let before = rustix::fs::fcntl_getfl(&reader).unwrap();
            assert_eq!(before.contains(OFlags::NONBLOCK), flags.contains(PipeFlags::NONBLOCK));
            let mut run = watch(format!("{} --with {with}", here(&reader)));
            rustix::io::write(&writer, b"x").unwrap();
            run.event("ready");
            assert_eq!(rustix::fs::fcntl_getfl(&reader).unwrap(), before, "{with}");
        }
    }
}

/// Of what it watches it has nothing open.
#[test]
fn nothing_is_held() {
    if super::cannot_watch_others() {
        return;
    }
    for arguments in ["--with epoll", "--trigger edge", "--trigger oneshot", "--with mio", "--with poll"] {
        let (reader, mut writer) = pipe().unwrap();
        let mut run = watch(format!("{} {arguments}", here(&reader)));
        let link = |pid, fd: &str| std::fs::read_link(format!("/proc/{pid}/fd/{fd}"));
        let ours = link(std::process::id(), &reader.as_raw_fd().to_string()).unwrap();
        let pid = run.pid();
        let holds = || {
            let names = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
            names.flatten().any(|e| link(pid, e.file_name().to_str().unwrap()).is_ok_and(|l| l == ours))
        };
        let check = |takes_it: bool| {
            if takes_it {
                // It has it for a moment at a time.
                eventually("nothing is held", || !holds());
            } else {
                assert!((0..20).all(|_| !holds()), "{arguments}");
            }
        };
        check(arguments == "--with poll");
        writer.write_all(b"x").unwrap();
        run.event("ready");
        // As long as it is ready by level, more may come, for which it looks.
        check(matches!(arguments, "--with poll" | "--with epoll"));
    }
}
