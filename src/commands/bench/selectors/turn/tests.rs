//! Real selectors, and some that lie.

use super::Turning;
use crate::commands::bench::selectors::attendant::Attendant;
use crate::commands::bench::selectors::fault::Fault;
use crate::commands::bench::selectors::kind::{Ends, Kind};
use crate::commands::bench::selectors::way::{Way, chosen};
use crate::model::Interest;
use crate::selector::{Backend, Event, RegisterError, Selector, Token, Trigger, Wake};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

const KINDS: [Kind; 3] = [Kind::Pipe, Kind::Socketpair, Kind::Eventfd];

#[test]
fn every_event_comes_once_by_every_selector() {
    let mut attendant = Attendant::deaf();
    for kind in KINDS {
        for way in chosen(&[]) {
            for (fds, active) in [(1, 1), (7, 1), (7, 3), (7, 7), (64, 10)] {
                let ends = Ends::open(kind, fds).expect("some fds");
                let (mut turning, _) = Turning::start(way, &ends, active).expect("a selector");
                let took = turning.turns(20, &mut attendant).expect("turns");
                assert!(took.waits >= 20 && took.waiting.is_zero(), "{way}: {took:?}");
                let took = turning.timed_turns(20, &mut attendant).expect("turns");
                assert!(took.waiting > Duration::ZERO && took.waiting <= took.time, "{way}: {took:?}");
                turning.is_clear().expect("nothing is left");
            }
        }
    }
}

#[test]
fn all_fds_have_their_turn() {
    for fds in [1, 2, 3, 10, 100, 1000] {
        let ends = Ends::open(Kind::Eventfd, fds).expect("some fds");
        let way = Way { backend: Backend::Epoll, trigger: Trigger::Level };
        let (turning, _) = Turning::start(way, &ends, 1).expect("a selector");
        let mut seen: Vec<usize> = (1..=fds as u64).flat_map(|turn| turning.firing.active(turn)).collect();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..fds), "of {fds}: {seen:?}");
    }
}

/// What a selector does with the events that it should give.
type Lie = fn(&mut Vec<Event>) -> Wake;

/// epoll, with lies.
#[derive(Debug)]
struct Liar {
    inner: Box<dyn Selector>,
    lie: Lie,
}

impl Selector for Liar {
    fn backend(&self) -> Backend {
        self.inner.backend()
    }

    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        self.inner.register(fd, token, want, trigger)
    }

    fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        self.inner.modify(fd, token, want, trigger)
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>, token: Token) -> Result<(), RegisterError> {
        self.inner.deregister(fd, token)
    }

    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake> {
        self.inner.wait(timeout, events)?;
        Ok((self.lie)(events))
    }
}

fn of_a_liar(lie: Lie) -> String {
    let ends = Ends::open(Kind::Pipe, 8).expect("some pipes");
    let inner = Backend::Epoll.open().expect("an epoll fd");
    let way = Way { backend: Backend::Epoll, trigger: Trigger::Level };
    let (mut turning, _) = Turning::with(Box::new(Liar { inner, lie }), way, &ends, 4).expect("a selector");
    match turning.turns(1, &mut Attendant::deaf()) {
        Err(fault @ (Fault::Lost(_) | Fault::Unfounded { .. } | Fault::Changed(_))) => fault.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_lost_or_made_up_is_noticed() {
    let lost = of_a_liar(|events| {
        events.clear();
        Wake::TimedOut
    });
    assert_eq!(lost, "4 events did not come, though their fds are ready");
    let twice = of_a_liar(|events| {
        events.push(events[0]);
        Wake::Ready
    });
    assert!(twice.contains("that it is ready (in), which it is not"), "{twice}");
    let unknown = of_a_liar(|events| {
        events[0].token = Token(999);
        Wake::Ready
    });
    assert!(unknown.starts_with("it told of fd 999 of them"), "{unknown}");
    let other = of_a_liar(|events| {
        events[0].readiness = crate::model::Readiness::HUP;
        Wake::Ready
    });
    assert!(other.contains("(hup)"), "{other}");
}

#[test]
fn what_is_left_is_noticed() {
    let ends = Ends::open(Kind::Eventfd, 3).expect("some fds");
    let way = Way { backend: Backend::Poll, trigger: Trigger::Level };
    let (mut turning, _) = Turning::start(way, &ends, 1).expect("a selector");
    ends.fire(2).expect("room");
    assert!(matches!(turning.is_clear(), Err(Fault::Unfounded { index: 2, .. })));
    // Twice in it is not what was written once.
    let first = turning.firing.active(1).next().expect("one is active");
    ends.take(2).expect("a read");
    ends.fire(first).expect("room");
    let fault = turning.turns(1, &mut Attendant::deaf()).expect_err("it holds too much");
    assert!(fault.to_string().ends_with("did not hold what was written to it"), "{fault}");
}
