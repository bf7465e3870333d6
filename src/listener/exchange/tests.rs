use super::testing::{CONNECTIONS, Connection, advance, drive, messages};
use super::{BUDGET, Exchange, LEAST, Progress, SCRATCH};
use crate::listener::Service;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown, sockopt};
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use tempfile::NamedTempFile;

const UNIX: Connection = CONNECTIONS[0];
const TCP: Connection = CONNECTIONS[2];
const MIB: usize = 1024 * 1024;

/// Bytes of which no two neighbourhoods are the same.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn send_file(contents: &[u8]) -> (NamedTempFile, Service) {
    let file = NamedTempFile::new().unwrap();
    file.as_file().write_all(contents).unwrap();
    let mut word = OsString::from("send=");
    word.push(file.path());
    (file, Service::parse(&word).unwrap())
}

fn rest(client: &mut UnixStream) -> Vec<u8> {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    rest
}

fn end(client: &UnixStream) {
    shutdown(client, Shutdown::Write).unwrap();
}

#[test]
fn an_idle_exchange_is_small() {
    assert!(size_of::<Exchange>() <= 128, "{}", size_of::<Exchange>());
}

#[test]
fn discard_reads_to_the_end() {
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&Service::Discard);
        client.write_all(&bytes(2 * MIB)).unwrap();
        end(&client);
        assert_eq!(rest(&mut client), b"");
        let served = server.join().unwrap();
        assert_eq!((served.received, served.sent, served.was_reset), (2 * MIB as u64, 0, false));
    }
}

#[test]
fn echo_gives_all_back_to_a_slow_reader() {
    let all = bytes(4 * MIB);
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&Service::Echo);
        let mut writer = client.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&all).unwrap();
                end(&writer);
            });
            for expected in all.chunks(1000) {
                let mut piece = [0; 1000];
                client.read_exact(&mut piece[..expected.len()]).unwrap();
                assert!(piece[..expected.len()] == *expected, "{connection:?}");
            }
        });
        assert_eq!(rest(&mut client), b"");
        let served = server.join().unwrap();
        assert_eq!((served.received, served.sent, served.was_reset), (4 * MIB as u64, 4 * MIB as u64, false));
    }
}

#[test]
fn echo_keeps_no_more_than_it_was_lent() {
    let (mut client, server) = UNIX.open();
    client.set_nonblocking(true).unwrap();
    let mut exchange = Exchange::new(&Service::Echo);
    let all = bytes(MIB);
    let mut written = 0;
    // Nobody reads the answer, so both directions fill up.
    loop {
        let before = (written, exchange.received());
        while let Ok(length) = client.write(&all[written..]) {
            written += length;
        }
        while advance(&mut exchange, server.as_fd()).unwrap() == Progress::More {}
        assert!(exchange.received() - exchange.sent() <= SCRATCH as u64);
        if before == (written, exchange.received()) {
            break;
        }
    }
    assert!(written < all.len() && !exchange.unsent.is_none());

    let mut back = Vec::new();
    let mut piece = [0; 4096];
    while back.len() < written {
        while let Ok(length) = client.read(&mut piece) {
            back.extend_from_slice(&piece[..length]);
        }
        while advance(&mut exchange, server.as_fd()).unwrap() == Progress::More {}
    }
    assert!(back == all[..written] && exchange.unsent.is_none());
}

#[test]
fn echo_keeps_messages_apart() {
    for blocks in [true, false] {
        let (client, server) = messages();
        ioctl_fionbio(&server, !blocks).unwrap();
        let thread = thread::spawn(|| drive(Exchange::new(&Service::Echo), server));
        let longest = bytes(SCRATCH);
        let sent: [&[u8]; 6] = [b"one", b"", b"", b"three", &longest, b"x"];
        for message in sent {
            send(&client, message, SendFlags::NOSIGNAL).unwrap();
        }
        shutdown(&client, Shutdown::Write).unwrap();
        for message in sent {
            let mut back = vec![0; SCRATCH + 1];
            let (length, _) = recv(&client, &mut back, RecvFlags::empty()).unwrap();
            assert!(back[..length] == *message, "{length} for {}", message.len());
        }
        assert_eq!(thread.join().unwrap().received, 9 + SCRATCH as u64);
        assert_eq!(recv(&client, &mut [0; 1], RecvFlags::empty()), Ok((0, 0)));
    }
}

#[test]
fn a_message_longer_than_the_buffer_is_an_error_for_echo_alone() {
    for (service, error) in [(Service::Echo, Some(Errno::MSGSIZE)), (Service::Discard, None)] {
        let (client, server) = messages();
        send(&client, &bytes(SCRATCH + 1), SendFlags::NOSIGNAL).unwrap();
        drop(client);
        let mut exchange = Exchange::new(&service);
        let result = advance(&mut exchange, server.as_fd());
        assert_eq!(result.as_ref().err().and_then(Errno::from_io_error), error);
        assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::Done);
    }
}

#[test]
fn hold_does_nothing_even_at_the_end() {
    for connection in CONNECTIONS {
        let (mut client, server) = connection.open();
        client.write_all(b"input").unwrap();
        let mut exchange = Exchange::new(&Service::Hold);
        assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::Blocked);
        drop(client);
        let mut end = [PollFd::from_borrowed_fd(server.as_fd(), PollFlags::RDHUP)];
        poll(&mut end, None).unwrap();
        assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::Blocked);
        assert_eq!((exchange.received(), ioctl_fionread(&server).unwrap()), (0, 5));
    }
}

#[test]
fn close_is_done_at_once() {
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&Service::Close);
        assert_eq!(server.join().unwrap().received, 0);
        assert_eq!(rest(&mut client), b"");
    }
}

#[test]
fn a_file_arrives_whole_whatever_was_sent_before() {
    let contents = bytes(3 * MIB + 1);
    let (_file, service) = send_file(&contents);
    for connection in CONNECTIONS {
        // Two at once, which share the file but not the position in it.
        let mut served = [connection.serve(&service), connection.serve(&service)];
        for (client, _) in &mut served {
            client.write_all(&bytes(10_000)).unwrap();
        }
        for (mut client, server) in served {
            assert!(rest(&mut client) == contents, "{connection:?}");
            drop(client);
            let served = server.join().unwrap();
            assert_eq!((served.received, served.sent), (10_000, contents.len() as u64));
            assert!(!served.was_reset, "{connection:?}");
        }
    }
}

#[test]
fn a_file_that_shrinks_ends_the_sending() {
    for connection in [UNIX, TCP] {
        let (file, service) = send_file(&bytes(8 * MIB));
        let (mut client, server) = connection.open();
        let mut exchange = Exchange::new(&service);
        while advance(&mut exchange, server.as_fd()).unwrap() == Progress::More {}
        let sent = exchange.sent();
        assert!(0 < sent && sent < 8 * MIB as u64, "{sent}");
        file.as_file().set_len(1).unwrap();
        let server = thread::spawn(|| drive(exchange, server));
        // What they are may have changed with the file: the kernel sends its pages, not copies.
        assert_eq!(rest(&mut client).len() as u64, sent);
        drop(client);
        assert_eq!(server.join().unwrap().sent, sent);
    }
}

#[test]
fn an_empty_file_is_just_the_end() {
    let (_file, service) = send_file(b"");
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&service);
        assert_eq!(rest(&mut client), b"");
        drop(client);
        assert_eq!(server.join().unwrap().sent, 0);
    }
}

#[test]
fn http_answers_one_request_after_the_other() {
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&Service::Http);
        let mut answer = [0; 67];
        for piece in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HT", "TP/1.1\r\nHost: a\r\n\r\n"] {
            client.write_all(piece.as_bytes()).unwrap();
            if piece.ends_with("\r\n\r\n") {
                client.read_exact(&mut answer).unwrap();
                assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(b"\r\n\r\nok\n"));
            }
        }
        end(&client);
        assert_eq!(rest(&mut client), b"");
        let served = server.join().unwrap();
        assert_eq!((served.sent, served.was_reset), (2 * 67, false));
    }
}

#[test]
fn http_answers_a_pipeline_that_is_read_late() {
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&Service::Http);
        let mut writer = client.try_clone().unwrap();
        let answers = thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&request.repeat(20_000)).unwrap();
                end(&writer);
            });
            rest(&mut client)
        });
        assert_eq!(answers.len(), 20_000 * 67, "{connection:?}");
        assert!(answers.chunks(67).all(|answer| answer.ends_with(b"\r\n\r\nok\n")));
        assert!(!server.join().unwrap().was_reset);
    }
}

#[test]
fn http_does_not_destroy_its_last_answer() {
    for connection in CONNECTIONS {
        for (last, status) in [("GET / HTTP/1.0\r\n\r\n", "200"), ("nonsense\r\n", "400"), ("GET", "400")] {
            let (mut client, server) = connection.serve(&Service::Http);
            client.write_all(last.as_bytes()).unwrap();
            if last == "GET" {
                end(&client);
            } else {
                // More than is read at once.
                client.write_all(&bytes(4 * SCRATCH)).unwrap();
            }
            let answer = String::from_utf8(rest(&mut client)).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
            drop(client);
            assert!(!server.join().unwrap().was_reset);
        }
    }
}

#[test]
fn a_fast_peer_gets_its_share_and_no_more() {
    let (_file, service) = send_file(&bytes(MIB));
    let (mut client, server) = Connection { blocks: true, ..UNIX }.open();
    let reader = thread::spawn(move || rest(&mut client).len());
    let mut exchange = Exchange::new(&service);
    for turn in 1..=4 {
        assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::More);
        assert_eq!(exchange.sent(), turn * BUDGET as u64);
    }
    drive(exchange, server);
    assert_eq!(reader.join().unwrap(), MIB);
}

#[test]
fn single_bytes_use_up_the_share_too() {
    let (client, server) = messages();
    let turn = BUDGET / LEAST;
    let peer = thread::spawn(move || {
        for _ in 0..2 * turn {
            send(&client, b"x", SendFlags::NOSIGNAL).unwrap();
            recv(&client, &mut [0; 2], RecvFlags::empty()).unwrap();
        }
    });
    let mut exchange = Exchange::new(&Service::Echo);
    for n in 1..=2 {
        assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::More);
        assert_eq!(exchange.received(), n * turn as u64);
    }
    peer.join().unwrap();
    assert_eq!(advance(&mut exchange, server.as_fd()).unwrap(), Progress::Done);
}

#[test]
fn a_peer_that_resets_is_no_error() {
    let (_file, file) = send_file(&bytes(3 * MIB));
    for service in [Service::Discard, Service::Echo, file, Service::Http] {
        for connection in CONNECTIONS.into_iter().filter(|connection| connection.is_tcp) {
            let (client, server) = connection.serve(&service);
            // Closing is then a reset, whatever was sent and read.
            sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
            drop(client);
            assert!(server.join().unwrap().was_reset, "{service:?} {connection:?}");
        }
    }
}

#[test]
fn a_peer_that_closes_instead_of_reading_is_no_error() {
    let (_file, file) = send_file(&bytes(3 * MIB));
    for connection in CONNECTIONS {
        let (mut client, server) = connection.serve(&file);
        client.read_exact(&mut [0; 10]).unwrap();
        drop(client);
        assert!(server.join().unwrap().was_reset, "{connection:?}");
    }
}
