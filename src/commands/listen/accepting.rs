//! Who accepts the connections.

use super::beside::Beside;
use crate::listener::{Acceptor, Children, EventLoop, Gate, Report};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Who accepts.
pub(super) enum Accepting {
    /// This thread.
    Here(Box<EventLoop>),
    /// Another thread of ours.
    There { acceptor: Acceptor, reports: Receiver<Report>, children: Option<Running> },
    /// A command that we have started.
    Command(Beside),
    /// Somebody else.
    Others,
}

/// Children that are told to end when we do, however that comes.
pub(super) struct Running(pub(super) Arc<Children>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.terminate();
    }
}

impl Accepting {
    /// Changes what may be accepted, where that is for us to say.
    pub(super) fn change_gate(&mut self, change: impl FnOnce(&mut Gate)) {
        match self {
            Self::Here(event_loop) => change(event_loop.gate()),
            Self::There { acceptor, .. } => acceptor.change_gate(change),
            Self::Command(_) | Self::Others => {}
        }
    }

    /// Asks what was accepted, where it was by us.
    pub(super) fn ask_gate<T>(&mut self, ask: impl FnOnce(&Gate) -> T) -> Option<T> {
        match self {
            Self::Here(event_loop) => Some(ask(event_loop.gate())),
            Self::There { acceptor, .. } => Some(acceptor.ask_gate(ask)),
            Self::Command(_) | Self::Others => None,
        }
    }

    /// Reaps children that have ended.
    pub(super) fn reap(&mut self) {
        if let Self::There { acceptor, children: Some(children), .. } = self {
            let ended = children.0.reap();
            acceptor.change_gate(|gate| (0..ended).for_each(|_| gate.end()));
        }
    }
}
