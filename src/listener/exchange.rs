//! One connection being served, a step at a time.

use super::compute::Compute;
use super::http::Http;
use super::service::{SendFile, Service};
use super::transfer::{Unsent, give, receive};
use rustix::fs::sendfile;
use rustix::io::{Errno, Result};
use rustix::net::{Shutdown, shutdown};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

/// How large a buffer to lend to [`Exchange::advance`], in bytes: the longest message that is
/// echoed.
pub const SCRATCH: usize = 64 * 1024;

/// How many bytes one call moves at most, but for the rest of its last step.
const BUDGET: usize = 256 * 1024;

/// What a step takes from the budget at least, in bytes: a peer that sends single ones must not
/// make it last for ever.
const LEAST: usize = 1024;

/// One connection being served.
///
/// It is driven by [`Exchange::advance`], which keeps between two calls where it is. The
/// connection's fd and the buffer stay the caller's, so that an exchange that waits is small.
#[derive(Debug)]
pub struct Exchange {
    work: Work,
    unsent: Unsent,
    received: u64,
    sent: u64,
    was_reset: bool,
}

/// What is done when nothing is left to send.
#[derive(Debug)]
enum Work {
    Hold,
    Echo,
    Send {
        file: Arc<SendFile>,
        offset: u64,
    },
    Http(Http),
    Compute(Compute),
    /// Tell the peer that nothing more will come, then discard.
    Finish,
    Discard,
    Done,
}

/// How far [`Exchange::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The socket would block: go on at its next event, whichever it is. Nothing is left over
    /// that an edge-triggered selector would not tell of again.
    Blocked,
    /// There may be more to do at once, but others should have their turn.
    More,
    /// The connection is to be closed.
    Done,
}

impl Exchange {
    /// A connection that was just accepted.
    pub fn new(service: &Service) -> Self {
        let work = match service {
            Service::Discard => Work::Discard,
            Service::Echo => Work::Echo,
            Service::Hold => Work::Hold,
            Service::Close => Work::Done,
            Service::Send(file) => Work::Send { file: Arc::clone(file), offset: 0 },
            Service::Http => Work::Http(Http::default()),
            Service::Compute => Work::Compute(Compute::default()),
        };
        Self { work, unsent: Unsent::default(), received: 0, sent: 0, was_reset: false }
    }

    /// Goes on until the connection is done, would block, or has had its share: about 256 KiB.
    ///
    /// `socket` is a connected socket of streams or of messages, the same in every call. If it
    /// blocks, so does this call, and it never gives [`Progress::Blocked`] but for
    /// [`Service::Hold`], which gives nothing else. `scratch` may not be empty, and nothing is
    /// kept in it; it should have [`SCRATCH`] bytes.
    ///
    /// SIGPIPE must be ignored, as it is in any Rust program that does not change it:
    /// `sendfile(2)` knows no `MSG_NOSIGNAL`.
    ///
    /// # Errors
    ///
    /// Those of the system calls, after which the connection is done. A peer that resets the
    /// connection is no error: see [`Exchange::was_reset`].
    pub fn advance(&mut self, socket: BorrowedFd<'_>, scratch: &mut [u8]) -> io::Result<Progress> {
        let mut budget = BUDGET;
        while budget > 0 {
            if matches!(self.work, Work::Done) {
                return Ok(Progress::Done);
            }
            match self.step(socket, scratch, budget) {
                Ok(moved) => budget = budget.saturating_sub(moved.max(LEAST)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Progress::Blocked),
                Err(error) => {
                    self.work = Work::Done;
                    self.unsent = Unsent::default();
                    self.was_reset = matches!(error, Errno::CONNRESET | Errno::PIPE);
                    if !self.was_reset {
                        return Err(error.into());
                    }
                }
            }
        }
        Ok(Progress::More)
    }

    /// How many bytes were read from the peer.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// How many bytes the kernel took for the peer.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the peer reset the connection, or would take no more of what was sent
    /// (`ECONNRESET`, `EPIPE`).
    pub fn was_reset(&self) -> bool {
        self.was_reset
    }

    /// Moves at most once in each direction, and gives how many bytes. Whatever a call that fails
    /// with `EAGAIN` or `EINTR` was about is done by the next step.
    fn step(&mut self, socket: BorrowedFd<'_>, scratch: &mut [u8], budget: usize) -> Result<usize> {
        if !self.unsent.is_none() {
            let sent = self.unsent.send(socket)?;
            self.sent += sent as u64;
            return Ok(sent);
        }
        match &mut self.work {
            Work::Hold => Err(Errno::AGAIN),
            Work::Done => Ok(0),
            Work::Echo => self.echo(socket, scratch),
            Work::Http(http) => {
                let mut answers = Vec::new();
                let received = receive(socket, scratch)?;
                let goes_on = match received {
                    Some(length) => http.take(&scratch[..length], &mut answers),
                    None => http.end(&mut answers),
                };
                if !goes_on {
                    // Both ends have said all: the kernel tells ours with the close.
                    let is_over = received.is_none() && answers.is_empty();
                    self.work = if is_over { Work::Done } else { Work::Finish };
                }
                if !answers.is_empty() {
                    self.unsent.keep(answers);
                }
                Ok(self.count(received))
            }
            Work::Compute(compute) => {
                if let Some(answer) = compute.next() {
                    self.answer(socket, &answer)?;
                    // However many lines have come: others have their turn after each.
                    return Ok(budget);
                }
                let received = receive(socket, scratch)?;
                if !received.is_some_and(|length| compute.take(&scratch[..length])) {
                    self.work = Work::Finish;
                }
                Ok(self.count(received))
            }
            Work::Send { file, offset } => {
                // An offset of its own, as all connections share the file's.
                let sent = sendfile(socket, file.file(), Some(offset), budget)?;
                self.sent += sent as u64;
                if sent == 0 {
                    self.work = Work::Finish;
                }
                Ok(sent)
            }
            Work::Finish => {
                // The kernel's word for a connection that the peer has reset meanwhile.
                shutdown(socket, Shutdown::Write)
                    .map_err(|e| if e == Errno::NOTCONN { Errno::CONNRESET } else { e })?;
                self.work = Work::Discard;
                Ok(0)
            }
            Work::Discard => {
                let received = match receive(socket, scratch) {
                    // Nobody misses the rest of a message.
                    Err(Errno::MSGSIZE) => Some(scratch.len()),
                    received => received?,
                };
                if received.is_none() {
                    self.work = Work::Done;
                }
                Ok(self.count(received))
            }
        }
    }

    fn echo(&mut self, socket: BorrowedFd<'_>, scratch: &mut [u8]) -> Result<usize> {
        let received = receive(socket, scratch)?;
        let length = self.count(received);
        if received.is_none() {
            self.work = Work::Finish;
            return Ok(0);
        }
        self.answer(socket, &scratch[..length])?;
        Ok(length)
    }

    /// Sends what the socket takes, and keeps the rest.
    fn answer(&mut self, socket: BorrowedFd<'_>, bytes: &[u8]) -> Result<()> {
        match give(socket, bytes) {
            Ok(sent) => {
                self.sent += sent as u64;
                if sent < bytes.len() {
                    self.unsent.keep(bytes[sent..].to_vec());
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => self.unsent.keep(bytes.to_vec()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn count(&mut self, received: Option<usize>) -> usize {
        let length = received.unwrap_or(0);
        self.received += length as u64;
        length
    }
}
