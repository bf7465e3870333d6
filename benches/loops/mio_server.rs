//! A server with mio, and with handlers that block.

use crate::Result;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

const LISTENER: Token = Token(0);

/// Serves until it is ended.
pub(crate) fn serve() -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut clients: HashMap<usize, TcpStream> = HashMap::new();
    let mut next = 1;
    loop {
        if let Err(e) = poll.poll(&mut events, None)
            && e.kind() != ErrorKind::Interrupted
        {
            return Err(e.into());
        }
        for event in &events {
            let Token(token) = event.token();
            if event.token() == LISTENER {
                while let Ok((mut client, _)) = listener.accept() {
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut client, Token(next), both)?;
                    clients.insert(next, client);
                    next += 1;
                }
            } else if event.is_readable()
                && let Some(client) = clients.get_mut(&token)
                && !answer(client)
            {
                clients.remove(&token);
            }
        }
    }
}

/// Answers what has come; whether more may come.
fn answer(client: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return false,
            Err(e) => return e.kind() == ErrorKind::WouldBlock,
            Ok(read) => {
                let text = String::from_utf8_lossy(&buffer[..read]);
                hold_up(&text);
                if client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").is_err()
                    || text.contains("Connection: close")
                {
                    return false;
                }
            }
        }
    }
}

fn hold_up(request: &str) {
    let mut words = request.split(' ').nth(1).unwrap_or_default().split('/').skip(1);
    let (what, seconds) = (words.next(), words.next().and_then(|n| n.parse().ok()));
    let Some(time) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) else { return };
    let begin = Instant::now();
    match what {
        Some("sleep") => std::thread::sleep(time),
        Some("spin") => while begin.elapsed() < time {},
        _ => {}
    }
}
