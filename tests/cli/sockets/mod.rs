//! `fdscope sockets`, live: sockets of each family and state, who holds them and who is at their
//! other ends, in this network namespace and in others, and what becomes of those that are closed.
//!
//! Most of the sockets are held by the process of the tests itself.

mod bad_input;
mod churn;
mod closing;
mod compare;
mod details;
mod fake_proc;
mod families;
pub(crate) mod namespaces;
mod output;
mod owners;
mod selecting;
mod states;
mod unix;
mod unprivileged;

use crate::support::{Fdscope, call, difference};
use rustix::fd::AsFd;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;

/// The run to be, in the network namespace that we are in. Notes are left out: what other processes
/// of this machine may not be read is no matter of the tests.
fn sockets(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("sockets --quiet --netns own {}", arguments.as_ref()))
}

/// The records of such a run.
fn records(arguments: impl AsRef<str>) -> Vec<Value> {
    sockets(arguments).records()
}

/// The inode of a socket.
fn inode(socket: &impl AsFd) -> u64 {
    rustix::fs::fstat(socket).expect("fstat").st_ino
}

/// The record of a socket.
#[track_caller]
fn of<'r>(records: &'r [Value], socket: &impl AsFd) -> &'r Value {
    let found = all_of(records, socket);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0]
}

/// All records of a socket: one, but for multipath TCP.
fn all_of<'r>(records: &'r [Value], socket: &impl AsFd) -> Vec<&'r Value> {
    records.iter().filter(|r| r["inode"] == inode(socket)).collect()
}

/// The record of a connection, by its two addresses.
#[track_caller]
fn between(records: &[Value], local: SocketAddr, remote: SocketAddr) -> &Value {
    let is = |r: &&Value| r["local"] == local.to_string() && r["remote"] == remote.to_string();
    let found: Vec<_> = records.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{local} to {remote}: {found:#?}");
    found[0]
}

/// Holds a record to what is expected of it: see [`difference`].
#[track_caller]
fn check(record: &Value, expected: &Value) {
    let record = without_forks(record.clone());
    let wrong = difference(expected, Some(&record));
    assert!(wrong.is_empty(), "{wrong:#?}\nin {record}");
}

/// The record without the children of ours that have not become other programs yet: other tests,
/// which may run in this process, start some, and until then a child holds all that we do, under the
/// same numbers.
fn without_forks(mut record: Value) -> Value {
    let own = std::process::id();
    for key in ["owners", "peers"] {
        if let Some(holders) = record.get_mut(key).and_then(Value::as_array_mut) {
            let ours: Vec<Value> =
                holders.iter().filter(|h| h["pid"] == own).map(|h| h["fd"].clone()).collect();
            holders.retain(|h| h["pid"] == own || !ours.contains(&h["fd"]));
        }
    }
    record
}

/// Looks again until it is as expected, or for so long that it never will be: for what cannot be
/// told apart from the children of [`without_forks`].
#[track_caller]
fn settles<T: PartialEq + std::fmt::Debug>(look: impl Fn() -> T, expected: &T) {
    for _ in 0..50 {
        if look() == *expected {
            return;
        }
    }
    assert_eq!(look(), *expected);
}

/// An fd of this process, as `owners` and `peers` have it.
fn holder(socket: &impl AsFd) -> Value {
    holder_of(std::process::id(), socket.as_fd().as_raw_fd())
}

/// An fd of a process, as `owners` and `peers` have it.
fn holder_of(pid: u32, fd: i32) -> Value {
    let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("its name");
    json!({"pid": pid, "command": command.trim_end_matches('\n'), "fd": fd})
}

/// What no fd that is there has: an absent field.
fn absent() -> Value {
    json!({"$absent": true})
}

/// A listener on a port of its own.
fn listener(address: &str, backlog: i32) -> TcpListener {
    let address: SocketAddr = address.parse().expect("an address");
    let family =
        if address.is_ipv4() { rustix::net::AddressFamily::INET } else { rustix::net::AddressFamily::INET6 };
    let flags = rustix::net::SocketFlags::CLOEXEC;
    let socket =
        rustix::net::socket_with(family, rustix::net::SocketType::STREAM, flags, None).expect("a socket");
    rustix::net::bind(&socket, &address).expect("an address of ours");
    rustix::net::listen(&socket, backlog).expect("listen");
    TcpListener::from(socket)
}

/// A connection to a listener: the client's end and the server's.
fn connection(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).expect("it listens");
    let (server, from) = listener.accept().expect("a client");
    assert_eq!(from, client.local_addr().unwrap());
    (client, server)
}

/// Writes until nothing more is taken.
fn stuff(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let full = loop {
        match stream.write(&[b'x'; 65536]) {
            Ok(written) => assert_ne!(written, 0),
            Err(e) => break e.kind(),
        }
    };
    assert_eq!(full, ErrorKind::WouldBlock);
}

/// An option of a socket, as many bytes as it has.
fn option(socket: &impl AsFd, level: i32, name: i32) -> Vec<u8> {
    let mut value = vec![0_u8; 1024];
    let mut length = value.len() as u32;
    let arguments = [
        socket.as_fd().as_raw_fd() as usize,
        level as usize,
        name as usize,
        value.as_mut_ptr() as usize,
        (&raw mut length) as usize,
        0,
    ];
    call(libc::SYS_getsockopt, arguments).expect("an option of the socket");
    value.truncate(length as usize);
    value
}

/// Sets an option of a socket to a number.
fn set_option(socket: &impl AsFd, level: i32, name: i32, value: i32) -> std::io::Result<()> {
    let arguments = [
        socket.as_fd().as_raw_fd() as usize,
        level as usize,
        name as usize,
        (&raw const value) as usize,
        size_of::<i32>(),
        0,
    ];
    call(libc::SYS_setsockopt, arguments).map(drop)
}

/// The state of a TCP socket, by the numbers of the kernel's `net/tcp_states.h`: the first byte of
/// `struct tcp_info`.
fn tcp_state(socket: &impl AsFd) -> u8 {
    option(socket, libc::IPPROTO_TCP, libc::TCP_INFO)[0]
}
