//! Reading that fails: it is no end, and whoever wanted all is told that this is less.

use super::{fdscope, watch, watch_fd, with_fd};
use crate::support::{Fdscope, check, terminal};
use rustix::net::sockopt;
use serde_json::json;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// A file whose first bytes nobody can read.
const UNREADABLE: &str = "/proc/self/mem";

/// Has a connection end with a reset.
fn reset(connection: TcpStream) {
    sockopt::set_socket_linger(&connection, Some(Duration::ZERO)).unwrap();
    drop(connection);
}

#[test]
fn a_file() {
    for arguments in ["", "--with poll", "--with select"] {
        let run = fdscope(format!("{UNREADABLE} --drain {arguments}")).run();
        let events = run.check(3, "fdscope: /proc/self/mem: i/o error (EIO)").json_lines();
        let end = events.iter().find(|e| e["event"] == "end").unwrap();
        check(end, &json!({"read_error": "EIO"}));
    }
    let run = Fdscope::new(format!("watch {UNREADABLE} --drain")).run();
    assert!(run.check(3, "(EIO)").stdout().contains("  cannot be read: EIO\n"), "{}", run.stdout());
    Fdscope::new(format!("watch {UNREADABLE} --tee -q")).run().check(3, "(EIO)").prints("");
}

/// What has come is passed on, and that it is not all is told, whichever selector sees what of that.
#[test]
fn a_connection_that_is_reset() {
    for with in super::ALL {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = format!("tcp:{}", listener.local_addr().unwrap());
        let mut run = watch(format!("{target} --drain --with {with}"));
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(b"half of it").unwrap();
        reset(connection);
        check(&run.event("end"), &json!({"read_error": "ECONNRESET"}));
        let run = run.end();
        let events = run.check(3, "connection reset by peer (ECONNRESET)").json_lines();
        check(events.last().unwrap(), &json!({"event": "summary", "bytes": 10}));
    }
}

/// Also where it was somebody else who connected, of whose sockets no error is asked for.
#[test]
fn an_inherited_connection_that_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    connection.write_all(b"half of it").unwrap();
    let run = with_fd(&socket, Fdscope::new("watch 3 --tee --quiet")).start();
    reset(connection);
    run.end().check(3, "fdscope: 3: connection reset by peer (ECONNRESET)").prints("half of it");
}

/// Nothing can be read of a connection that is not made.
#[test]
fn a_connection_that_is_refused() {
    let (_socket, address) = super::connecting::deaf();
    let target = format!("tcp:{address}");
    let reason = format!("fdscope: {target}: connection refused (ECONNREFUSED)");
    for with in super::LEVEL {
        let run = Fdscope::new(format!("watch {target} --tee --quiet --with {with}")).run();
        run.check(3, &reason).prints("");
    }
    // What was waited for is what counts, where something was.
    fdscope(format!("{target} --drain -u ready")).run().check(1, "");
}

/// A terminal whose other end is gone says so by an error, and that is an end.
#[test]
fn a_terminal() {
    let (master, slave) = terminal();
    let mut run = watch_fd(&master, "3 --drain");
    rustix::io::write(&slave, b"x").unwrap();
    run.event("ready");
    drop(slave);
    check(&run.event("end"), &json!({"read_error": {"$absent": true}}));
    run.end().check(0, "");
}
