//! That of those who wait for something, none is passed over because it is watched: each of many
//! connections and bytes wakes somebody up.

use super::{here, watch};
use crate::support::PATIENCE;
use std::io::{Read as _, Write as _, pipe};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;

/// How often each is tried.
const TRIES: usize = 1000;

const WAYS: [&str; 3] = ["--with epoll", "--trigger edge", "--with poll --interval 1ms"];

/// Two threads that wait in accept(2), and one client at a time.
#[test]
fn of_accept() {
    if super::cannot_watch_others() {
        return;
    }
    for way in WAYS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut run = watch(format!("{} {way}", here(&listener)));
        let first = TcpStream::connect(address).unwrap();
        run.event("ready");
        drop((first, listener.accept().unwrap()));
        let (sender, accepted) = channel();
        for _ in 0..2 {
            let (listener, sender) = (listener.try_clone().unwrap(), sender.clone());
            std::thread::spawn(move || {
                // Until the test is over.
                while let Ok((stream, _)) = listener.accept() {
                    if sender.send(stream.peer_addr().unwrap()).is_err() {
                        return;
                    }
                }
            });
        }
        for i in 0..TRIES {
            let client = TcpStream::connect(address).unwrap();
            // Nobody but the one that is woken up now accepts it.
            let peer = accepted.recv_timeout(PATIENCE);
            assert_eq!(peer, Ok(client.local_addr().unwrap()), "{way}: number {i}");
        }
        // Each thread ends with one more.
        drop((accepted, run));
        drop([TcpStream::connect(address), TcpStream::connect(address)]);
    }
}

/// Two threads that wait in read(2), and one byte at a time.
#[test]
fn of_read() {
    if super::cannot_watch_others() {
        return;
    }
    for way in WAYS {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut run = watch(format!("{} {way}", here(&reader)));
        writer.write_all(b"x").unwrap();
        run.event("ready");
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
        let (sender, read) = channel();
        for _ in 0..2 {
            let (mut reader, sender) = (reader.try_clone().unwrap(), sender.clone());
            std::thread::spawn(move || {
                let mut byte = [0];
                while let Ok(1) = reader.read(&mut byte) {
                    let _ = sender.send(byte[0]);
                }
            });
        }
        for i in 0..TRIES {
            writer.write_all(&[i as u8]).unwrap();
            assert_eq!(read.recv_timeout(PATIENCE), Ok(i as u8), "{way}: number {i}");
        }
    }
}
