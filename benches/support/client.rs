//! The load: clients, each of which waits for one answer before it asks again.

use crate::Result;
use fdscope::load::{Answers, Crowd, Protocol};
use std::net::SocketAddr;

pub(crate) use fdscope::load::{Bounds, Mode};

/// What is asked for, and what an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Http,
    /// The same each time.
    Fixed {
        ask: &'static [u8],
        answer: &'static [u8],
    },
}

impl Service {
    /// The same back.
    pub(crate) const ECHO: Self = Self::Fixed { ask: PING, answer: PING };
}

const PING: &[u8] = b"thirty-two bytes, there and back";

/// How many ask at a time, each in a thread of its own.
const CLIENTS: usize = 8;

/// Asks `server` until the bounds are reached. Every answer must be right.
pub(crate) fn run(server: SocketAddr, service: Service, mode: Mode, bounds: Bounds) -> Result<Answers> {
    Clients::new(server, service, mode)?.run(bounds)
}

/// Those who ask, with the connections that they keep from one run to the next.
pub(crate) struct Clients(fdscope::load::Clients<Talk>);

impl Clients {
    pub(crate) fn new(server: SocketAddr, service: Service, mode: Mode) -> Result<Self> {
        let crowd = Crowd { connections: CLIENTS, busy: CLIENTS, mode, threads: CLIENTS };
        Ok(Self(fdscope::load::Clients::new(server, Talk { service, mode }, crowd, None)?))
    }

    /// They ask until the bounds are reached. Every answer must be right.
    pub(crate) fn run(&mut self, bounds: Bounds) -> Result<Answers> {
        let answers = self.0.run(bounds).map_err(|e| format!("a request failed: {e}"))?;
        if answers.count() == 0 {
            return Err("there was no time for a request".into());
        }
        Ok(answers)
    }
}

/// The time below which this share of the answers came, in ms.
pub(crate) fn percentile(answers: &Answers, share: f64) -> f64 {
    answers.usual.percentile(share).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// What is said over a connection.
struct Talk {
    service: Service,
    mode: Mode,
}

impl Protocol for Talk {
    fn ask(&self, _: usize, _: u64, question: &mut Vec<u8>) {
        let request: &[u8] = match (self.service, self.mode) {
            (Service::Fixed { ask, .. }, _) => ask,
            (Service::Http, Mode::Kept) => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            (Service::Http, Mode::Renewed) => {
                b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            }
        };
        question.extend_from_slice(request);
    }

    /// HTTP's answer to the last request goes on to the end of the connection.
    fn look(&self, _: &[u8], answer: &[u8], ended: bool) -> std::result::Result<bool, String> {
        let (is_whole, is_right, is_last) = match self.service {
            Service::Fixed { answer: right, .. } => (answer.len() >= right.len(), answer == right, false),
            Service::Http => {
                let (is_whole, is_right) = look(answer);
                (is_whole, is_right, self.mode == Mode::Renewed)
            }
        };
        match (if is_last { ended } else { is_whole }, is_whole && is_right) {
            (true, true) => Ok(true),
            (true, false) => Err("an answer is wrong".to_owned()),
            (false, _) => Ok(false),
        }
    }
}

/// Whether an answer is all there, by its `Content-Length`, and whether it is 200.
fn look(answer: &[u8]) -> (bool, bool) {
    let Some(head) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { return (false, false) };
    let head_text = String::from_utf8_lossy(&answer[..head]);
    let is_right = head_text.split(' ').nth(1).is_some_and(|status| status == "200");
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    };
    let body = head_text.split("\r\n").find_map(field).unwrap_or(0);
    (answer.len() >= head + 4 + body, is_right)
}
