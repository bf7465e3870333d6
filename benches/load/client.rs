//! The load: a thread a client, each of which waits for one answer before it asks again.

use crate::Result;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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

/// Whether a connection serves for all requests of a client, or for one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    KeepAlive,
    Connections,
}

/// How long to go on, whichever comes first.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    pub(crate) requests: usize,
}

/// How it went.
pub(crate) struct Answers {
    pub(crate) wall: Duration,
    /// How long each took, in order.
    latencies: Vec<Duration>,
}

impl Answers {
    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }

    /// The time below which this share of the answers came, in ms.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at.min(self.latencies.len() - 1)).map_or(0.0, |l| l.as_secs_f64() * 1e3)
    }
}

/// How many ask at a time.
const CLIENTS: usize = 8;
/// No server here takes that long, unless it has died.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `server` until the bounds are reached. Every answer must be right.
pub(crate) fn run(server: SocketAddr, service: Service, mode: Mode, bounds: Bounds) -> Result<Answers> {
    Clients::new(server, service, mode).run(bounds)
}

/// Those who ask, with the connections that they keep from one run to the next.
pub(crate) struct Clients {
    server: SocketAddr,
    service: Service,
    mode: Mode,
    kept: Vec<Option<TcpStream>>,
}

impl Clients {
    pub(crate) fn new(server: SocketAddr, service: Service, mode: Mode) -> Self {
        Self { server, service, mode, kept: (0..CLIENTS).map(|_| None).collect() }
    }

    /// They ask until the bounds are reached. Every answer must be right.
    pub(crate) fn run(&mut self, bounds: Bounds) -> Result<Answers> {
        let Self { server, service, mode, ref mut kept } = *self;
        let asked = AtomicUsize::new(0);
        let start = Instant::now();
        let client = |kept: &mut Option<TcpStream>| -> io::Result<Vec<Duration>> {
            let mut latencies = Vec::new();
            while asked.fetch_add(1, Ordering::Relaxed) < bounds.requests && start.elapsed() < bounds.time {
                let before = Instant::now();
                let mut connection = match kept.take() {
                    Some(connection) => connection,
                    None => connect(server)?,
                };
                ask(&mut connection, service, mode)?;
                latencies.push(before.elapsed());
                *kept = (mode == Mode::KeepAlive).then_some(connection);
            }
            Ok(latencies)
        };
        let client = &client;
        let results: Vec<io::Result<Vec<Duration>>> = std::thread::scope(|scope| {
            let clients: Vec<_> = kept.iter_mut().map(|kept| scope.spawn(move || client(kept))).collect();
            let end = |client: std::thread::ScopedJoinHandle<'_, _>| client.join();
            clients
                .into_iter()
                .map(|c| end(c).unwrap_or_else(|_| Err(io::Error::other("panicked"))))
                .collect()
        });
        let wall = start.elapsed();
        let mut latencies = Vec::new();
        for result in results {
            latencies.extend(result.map_err(|e| format!("a request failed: {e}"))?);
        }
        if latencies.is_empty() {
            return Err("there was no time for a request".into());
        }
        latencies.sort();
        Ok(Answers { wall, latencies })
    }
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(server)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    Ok(connection)
}

const PING: &[u8] = b"thirty-two bytes, there and back";

fn ask(connection: &mut TcpStream, service: Service, mode: Mode) -> io::Result<()> {
    match (service, mode) {
        (Service::Fixed { ask, answer }, _) => {
            connection.write_all(ask)?;
            let mut bytes = [0; 64];
            let bytes = bytes.get_mut(..answer.len()).ok_or_else(|| io::Error::other("it is too long"))?;
            connection.read_exact(bytes)?;
            if bytes == answer { Ok(()) } else { Err(io::Error::other("an answer is wrong")) }
        }
        (Service::Http, Mode::KeepAlive) => {
            connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            answer(connection, false)
        }
        (Service::Http, Mode::Connections) => {
            connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            answer(connection, true)
        }
    }
}

/// Reads an answer to its end, which is that of the connection if it is `last`.
fn answer(connection: &mut TcpStream, last: bool) -> io::Result<()> {
    let mut bytes = [0; 4096];
    let mut length = 0;
    loop {
        let read = connection.read(&mut bytes[length..])?;
        length += read;
        let (is_whole, is_right) = look(&bytes[..length]);
        let ended = if last { read == 0 } else { is_whole };
        match (ended, is_whole && is_right) {
            (true, true) => return Ok(()),
            (true, false) => return Err(io::Error::other("an answer is not 200")),
            (false, _) if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {}
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
