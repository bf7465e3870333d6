//! A loop that gives its fds with each call.

use super::turns::Given;
use super::{EventLoop, Looked, Means, Way};
use crate::model::{Call, Polled, Readiness, Registration, Wait};
use crate::proc::ThreadReader;
use std::time::Instant;

impl EventLoop {
    /// Looks at the thread of a loop that gives its fds each time. Whether it is still there.
    pub(super) fn look_at_poller(&mut self, means: &Means<'_>, at: Instant, looked: &mut Looked) -> bool {
        let Some(tid) = self.who.tid else { return false };
        let read = ThreadReader::new(means.system, means.dir).and_then(|mut reader| reader.read(tid));
        let Ok(thread) = read else {
            self.open = false;
            return false;
        };
        let Way::Poll(turns) = &mut self.way else { return false };
        let call = thread.doing.call().filter(|_| !thread.state.is_stopped());
        let given = match call.map(|call| &call.wait) {
            Some(Wait::Poll { fds: Ok(fds), .. }) => turns.take(fds, thread.cpu.total(), means.donor),
            _ => {
                turns.leave();
                Given::Elsewhere
            }
        };
        match given {
            Given::Elsewhere if turns.may_be_judged() => self.look_at_members(means.donor, at, false),
            Given::Elsewhere => {
                // Whether it is a loop at all is to be seen yet.
                turns.unjudged = true;
                self.judge.unknown(at);
            }
            Given::Others => {
                let is_select = call.is_some_and(Call::is_select);
                let mut registrations: Vec<_> =
                    turns.fds.iter().map(|polled| registration(*polled, is_select)).collect();
                registrations.sort_by_key(|registration| registration.fd);
                let changed = self.set.update(registrations);
                for (token, watched) in &changed.gone {
                    self.retire(*token, watched, at);
                }
                looked.new = changed.new;
                self.judge.clear(at);
            }
            Given::Same => self.judge.clear(at),
        }
        true
    }
}

/// What is asked of an fd with `poll(2)` or `select(2)`, as if it were registered.
fn registration(polled: Polled, is_select: bool) -> Registration {
    let unasked = if is_select { Readiness::EMPTY } else { Readiness::ERR | Readiness::HUP };
    let events = u64::from((polled.events | unasked).bits());
    Registration { events, ..Registration::new(polled.fd) }
}
