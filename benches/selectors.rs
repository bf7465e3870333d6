//! What an event costs by each selector, beside a bare loop on the same calls.
//!
//! In the manner of libevent's own benchmark: many fds, few or some of which become ready at a
//! time, over the whole of them. A round makes them ready, waits until it has been told of each,
//! and reads it; so an event's cost includes a `write(2)` and a `read(2)`. The fds are eventfds,
//! since a pipe would take two. `fdscope` and `bare` differ by what the selector contract costs:
//! only that ratio means something.

#![allow(unsafe_code)]

use divan::Bencher;
use divan::counter::ItemsCount;
use fdscope::model::Interest;
use fdscope::selector::{Backend, Token, Trigger};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{
    EventfdFlags, FdSetElement, FdSetIter, PollFd, PollFlags, eventfd, fd_set_insert, fd_set_num_elements,
    poll, select,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

// Counts allocations too: a wait should make none.
#[global_allocator]
static ALLOC: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .expect("the soft limit may go up to the hard one");
    divan::main();
}

/// Fds in all, and how many are ready at a time.
const LOADS: &[(usize, usize)] = &[(10, 1), (1000, 1), (1000, 100), (10_000, 1), (10_000, 100)];

const WAYS: &[(Backend, Trigger)] = &[
    (Backend::Select, Trigger::Level),
    (Backend::Poll, Trigger::Level),
    (Backend::Epoll, Trigger::Level),
    (Backend::Epoll, Trigger::Edge),
    (Backend::Mio, Trigger::Edge),
];

struct Case {
    backend: Backend,
    trigger: Trigger,
    fds: usize,
    active: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {} of {}", self.backend, self.trigger.name(), self.active, self.fds)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    LOADS.iter().flat_map(|&(fds, active)| {
        WAYS.iter().map(move |&(backend, trigger)| Case { backend, trigger, fds, active })
    })
}

struct Load {
    fds: Vec<OwnedFd>,
    active: Vec<usize>,
}

impl Load {
    fn new(case: &Case) -> Option<Self> {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        if limit < case.fds as u64 + 100 {
            eprintln!("skipped: {case}, because RLIMIT_NOFILE is {limit}");
            return None;
        }
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let fds = (0..case.fds).map(|_| eventfd(0, flags).expect("an eventfd")).collect();
        let active = (0..case.active).map(|i| i * case.fds / case.active).collect();
        Some(Self { fds, active })
    }

    fn fire(&self) {
        for &i in &self.active {
            rustix::io::write(&self.fds[i], &1u64.to_ne_bytes()).expect("room");
        }
    }

    fn take(&self, i: usize) {
        rustix::io::read(&self.fds[i], &mut [0; 8]).expect("an event");
    }

    /// `wait` waits once, hands to its argument what is ready, and gives how many that are.
    fn run(&self, bencher: Bencher<'_, '_>, mut wait: impl FnMut(&dyn Fn(usize)) -> usize) {
        let active = self.active.len();
        bencher.counter(ItemsCount::new(active)).bench_local(|| {
            self.fire();
            let mut seen = 0;
            while seen < active {
                seen += wait(&|i| self.take(i));
            }
        });
    }
}

#[divan::bench(args = cases())]
fn fdscope(bencher: Bencher<'_, '_>, case: &Case) {
    let Some(load) = Load::new(case) else { return };
    let mut selector = case.backend.open().expect("a selector");
    for (i, fd) in load.fds.iter().enumerate() {
        selector.register(fd.as_fd(), Token(i as u64), Interest::IN, case.trigger).expect("a registration");
    }
    let mut events = Vec::new();
    load.run(bencher, |take| {
        selector.wait(None, &mut events).expect("a wait");
        events.iter().for_each(|event| take(event.token.0 as usize));
        events.len()
    });
}

#[divan::bench(args = cases())]
fn bare(bencher: Bencher<'_, '_>, case: &Case) {
    let Some(load) = Load::new(case) else { return };
    match case.backend {
        Backend::Select => bare_select(&load, bencher),
        Backend::Poll => bare_poll(&load, bencher),
        Backend::Epoll => bare_epoll(&load, bencher, case.trigger),
        Backend::Mio => bare_mio(&load, bencher),
    }
}

fn bare_select(load: &Load, bencher: Bencher<'_, '_>) {
    let highest = load.fds.iter().map(|fd| fd.as_raw_fd()).max().expect("there are fds");
    let mut want = vec![FdSetElement::default(); fd_set_num_elements(load.fds.len(), highest + 1)];
    let mut places = vec![0; highest as usize + 1];
    for (i, fd) in load.fds.iter().enumerate() {
        fd_set_insert(&mut want, fd.as_raw_fd());
        places[fd.as_raw_fd() as usize] = i;
    }
    let mut ready = want.clone();
    load.run(bencher, |take| {
        ready.copy_from_slice(&want);
        // SAFETY: the fds are open, and the set is as long as it must be.
        let count = unsafe { select(highest + 1, Some(&mut ready), None, None, None) };
        FdSetIter::new(&ready).for_each(|fd| take(places[fd as usize]));
        count.expect("a wait") as usize
    });
}

fn bare_poll(load: &Load, bencher: Bencher<'_, '_>) {
    let mut fds: Vec<_> = load.fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    load.run(bencher, |take| {
        let count = poll(&mut fds, None).expect("a wait");
        let ready = fds.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
        ready.take(count).for_each(|(i, _)| take(i));
        count
    });
}

fn bare_epoll(load: &Load, bencher: Bencher<'_, '_>, trigger: Trigger) {
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll fd");
    let flags = if trigger == Trigger::Edge { EventFlags::IN | EventFlags::ET } else { EventFlags::IN };
    for (i, fd) in load.fds.iter().enumerate() {
        epoll::add(&epoll, fd, EventData::new_u64(i as u64), flags).expect("a registration");
    }
    let mut events = Vec::with_capacity(load.fds.len());
    load.run(bencher, |take| {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None).expect("a wait");
        events.iter().for_each(|&epoll::Event { data, .. }| take(data.u64() as usize));
        events.len()
    });
}

fn bare_mio(load: &Load, bencher: Bencher<'_, '_>) {
    let mut poll = mio::Poll::new().expect("an epoll fd");
    for (i, fd) in load.fds.iter().enumerate() {
        let mut source = mio::unix::SourceFd(&fd.as_raw_fd());
        let interest = mio::Interest::READABLE;
        poll.registry().register(&mut source, mio::Token(i), interest).expect("a registration");
    }
    let mut events = mio::Events::with_capacity(load.fds.len());
    load.run(bencher, |take| {
        poll.poll(&mut events, None).expect("a wait");
        events.iter().for_each(|event| take(event.token().0));
        events.iter().count()
    });
}
