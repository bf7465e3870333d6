//! What is done with connections: each service under each model, over TCP and unix sockets.

use super::client::{connect, connect_as, echoed, exchange, rest};
use super::models::MODELS;
use super::{abstract_name, address, listen};
use crate::support::check;
use nix::sys::signal::Signal;
use rustix::net::SocketType;
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

/// More than the buffers between two processes hold at once.
const MUCH: usize = 3 << 20;

/// Has one connection over each family served under each model; then the run must end by itself.
fn each(service: &str, talk: impl Fn(TcpStream)) {
    for model in MODELS {
        let word = service.split('=').next().unwrap();
        let name = abstract_name(&format!("{word}-{model}"));
        let (mut run, tcp) =
            listen(format!("127.0.0.1:0 {name} --model {model} --serve {service} --count 2"));
        for to in [address(&tcp), name.as_str()] {
            talk(connect(to));
            check(&run.event("accepted"), &json!({"address": to}));
        }
        let run = run.end();
        let events = run.check(0, "").json_lines();
        check(&events[events.len() - 2], &json!({"event": "summary", "accepted": 1}));
        check(&events[events.len() - 1], &json!({"event": "summary", "accepted": 1}));
    }
}

fn much() -> Vec<u8> {
    (0..MUCH).map(|i| (i % 251) as u8).collect()
}

#[test]
fn discard() {
    each("discard", |stream| assert_eq!(exchange(stream, &much()), b""));
}

#[test]
fn echo() {
    each("echo", |mut stream| {
        echoed(&mut stream, b"hello\n");
        let text = much();
        let mut writer = stream.try_clone().unwrap();
        let back = std::thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&text).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
            });
            rest(stream)
        });
        assert!(back == text, "{} bytes came back", back.len());
    });
}

/// The end, and nothing before it.
#[test]
fn close() {
    each("close", |stream| assert_eq!(rest(stream), b""));
}

/// All of it, and the end, though the client has said nothing.
#[test]
fn send() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, much()).unwrap();
    each(&format!("send={}", path.display()), |stream| assert!(rest(stream) == much()));
}

#[test]
fn http() {
    each("http", |mut stream| {
        // A load tool's: one connection, several requests.
        for _ in 0..3 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"ok\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
        }
        let last = exchange(stream, b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        assert!(last.starts_with(b"HTTP/1.1 200 OK\r\n") && last.ends_with(b"\r\n\r\nok\n"));
    });
}

/// Each line has its time, wrong ones are answered too, and the rest of the line is the client's.
#[test]
fn compute() {
    each("compute", |mut stream| {
        echoed(&mut stream, b"0 one\n");
        let before = std::time::Instant::now();
        echoed(&mut stream, b"20ms two\n");
        assert!(before.elapsed().as_millis() >= 20);
        stream.write_all(b"1ms three\n1us fo").unwrap();
        let last = exchange(stream, b"ur\nsoon\n2min\nno end");
        let lines = String::from_utf8(last).unwrap();
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[..2], ["1ms three", "1us four"]);
        assert!(lines[2].starts_with("'soon' is not a duration"), "{lines:?}");
        assert_eq!(lines[3..], ["that is more than 60s"]);
    });
}

/// Nothing is read, answered or closed, even if the client has gone half way.
#[test]
fn hold() {
    for model in MODELS {
        let (mut run, tcp) =
            listen(format!("127.0.0.1:0 {} --model {model} --serve hold", abstract_name(model)));
        for to in [address(&tcp).to_owned(), abstract_name(model)] {
            let mut stream = connect(&to);
            stream.write_all(b"hello").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            run.event("accepted");
            stream.set_nonblocking(true).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "{model}: {to}");
        }
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// Messages of sequenced packets stay messages.
#[test]
fn seqpacket() {
    for model in MODELS {
        let name = abstract_name(&format!("seqpacket-{model}"));
        let (run, listening) =
            listen(format!("{name} --type seqpacket --model {model} --serve echo --count 1"));
        check(&listening, &json!({"family": "unix", "type": "seqpacket"}));
        let mut stream = connect_as(&name, SocketType::SEQPACKET);
        for message in [&b"one"[..], b"three"] {
            stream.write_all(message).unwrap();
        }
        for message in [&b"one"[..], b"three"] {
            let mut buffer = [0; 100];
            let n = stream.read(&mut buffer).unwrap();
            assert_eq!(&buffer[..n], message, "{model}");
        }
        drop(stream);
        run.end().check(0, "");
    }
}

/// What a client does wrong is its own affair: the next one is served.
#[test]
fn a_client_that_resets() {
    for model in MODELS {
        let (mut run, listening) = listen(format!("127.0.0.1:0 --model {model} --serve echo"));
        let rude = connect(address(&listening));
        rustix::net::sockopt::set_socket_linger(&rude, Some(std::time::Duration::ZERO)).unwrap();
        run.event("accepted");
        (&rude).write_all(b"x").unwrap();
        drop(rude);
        assert_eq!(exchange(connect(address(&listening)), b"hello"), b"hello", "{model}");
        check(&run.event("accepted"), &json!({"number": 2}));
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}
