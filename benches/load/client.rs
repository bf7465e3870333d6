//! The load: clients, each of which waits for one answer before it asks again.

use crate::Result;
use fdscope::load::{Answers, Clients, Crowd, Lines, Protocol};
use std::net::SocketAddr;

pub(crate) use fdscope::load::{Bounds, Mode};

/// What is asked for, and what an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Http,
    Echo,
}

/// How many ask at a time, each in a thread of its own.
const CLIENTS: usize = 8;

/// Asks `server` until the bounds are reached. Every answer must be right.
pub(crate) fn run(server: SocketAddr, service: Service, mode: Mode, bounds: Bounds) -> Result<Answers> {
    match service {
        Service::Http => ask(server, Http { mode }, mode, bounds),
        Service::Echo => ask(server, Lines { time: String::new(), heavy: 0 }, mode, bounds),
    }
}

fn ask(server: SocketAddr, protocol: impl Protocol, mode: Mode, bounds: Bounds) -> Result<Answers> {
    let crowd = Crowd { connections: CLIENTS, busy: CLIENTS, mode, threads: CLIENTS };
    let mut clients = Clients::new(server, protocol, crowd, None)?;
    let answers = clients.run(bounds).map_err(|e| format!("a request failed: {e}"))?;
    if answers.count() == 0 {
        return Err("there was no time for a request".into());
    }
    Ok(answers)
}

/// The time below which this share of the answers came, in ms.
pub(crate) fn percentile(answers: &Answers, share: f64) -> f64 {
    answers.usual.percentile(share).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Requests for one page.
struct Http {
    mode: Mode,
}

impl Protocol for Http {
    fn ask(&self, _: usize, _: u64, question: &mut Vec<u8>) {
        let request: &[u8] = match self.mode {
            Mode::Kept => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            Mode::Renewed => b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        };
        question.extend_from_slice(request);
    }

    /// An answer to the last request goes on to the end of the connection.
    fn look(&self, _: &[u8], answer: &[u8], ended: bool) -> std::result::Result<bool, String> {
        let (is_whole, is_right) = look(answer);
        match (if self.mode == Mode::Renewed { ended } else { is_whole }, is_whole && is_right) {
            (true, true) => Ok(true),
            (true, false) => Err("an answer is not 200".to_owned()),
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
