//! One connection of a client: what it has asked, and how far the answer is.

use super::protocol::Protocol;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

/// One connection.
pub(super) struct Connection {
    /// Its number among all of the load.
    pub(super) number: usize,
    socket: Option<TcpStream>,
    /// How many questions it has asked.
    asked: u64,
    question: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
    /// When the question was asked that has no answer yet.
    since: Option<Instant>,
}

impl Connection {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            socket: None,
            asked: 0,
            question: Vec::new(),
            sent: 0,
            answer: Vec::new(),
            since: None,
        }
    }

    /// Asks the next question, over a new connection if there is none.
    pub(super) fn ask(
        &mut self,
        protocol: &impl Protocol,
        server: SocketAddr,
        (registry, token): (&Registry, Token),
    ) -> io::Result<()> {
        self.question.clear();
        self.answer.clear();
        self.sent = 0;
        protocol.ask(self.number, self.asked, &mut self.question);
        self.asked += 1;
        self.since = Some(Instant::now());
        if self.socket.is_none() {
            let mut socket = TcpStream::connect(server)?;
            // Both at once and for good: none of them is told of twice.
            registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
            socket.set_nodelay(true)?;
            self.socket = Some(socket);
        }
        self.send()
    }

    /// Sends what the socket takes of the question.
    fn send(&mut self) -> io::Result<()> {
        let Some(socket) = &mut self.socket else { return Ok(()) };
        while self.sent < self.question.len() {
            match socket.write(&self.question[self.sent..]) {
                Ok(sent) => self.sent += sent,
                // The connection is not made yet, or its buffer is full.
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Goes on after an event; whether the answer is complete now, and since when it was waited for.
    pub(super) fn go_on(
        &mut self,
        protocol: &impl Protocol,
        buffer: &mut [u8],
    ) -> Result<Option<Instant>, Trouble> {
        let Some(since) = self.since else { return Ok(None) };
        self.send()?;
        let Some(socket) = &mut self.socket else { return Ok(None) };
        if self.sent == 0 {
            // A connection that was refused has told so by now.
            return socket.take_error()?.map_or(Ok(None), |e| Err(e.into()));
        }
        loop {
            let ended = match socket.read(buffer) {
                Ok(length) => {
                    self.answer.extend_from_slice(&buffer[..length]);
                    length == 0
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            if protocol.look(&self.question, &self.answer, ended).map_err(Trouble::Wrong)? {
                self.since = None;
                return Ok(Some(since));
            }
            if ended {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Closes the connection. The next question opens another.
    pub(super) fn close(&mut self) {
        self.socket = None;
    }
}

/// What may happen to a connection.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A call failed.
    Io(io::Error),
    /// The answer is not the right one.
    Wrong(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
