//! Socket files: made with a mode, replaced if nobody listens, removed at the end.

use super::client::{connect, exchange};
use super::{address, fdscope, listen};
use crate::support::{check, in_own_network};
use nix::sys::signal::Signal;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use serde_json::json;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A path in a directory of its own, which goes with it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    (directory, path)
}

fn unix(path: &Path) -> String {
    format!("unix:{}", path.display())
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// However it ends.
#[test]
fn ours_is_removed_at_the_end() {
    let (_directory, path) = place();
    let (run, listening) = listen(format!("{} --timeout 10ms", unix(&path)));
    check(&listening, &json!({"address": unix(&path), "family": "unix"}));
    run.end().check(124, "");
    assert!(!path.exists());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (run, _) = listen(unix(&path));
        assert!(path.metadata().unwrap().file_type().is_socket());
        run.end_by(signal).check_signal(signal, "");
        assert!(!path.exists(), "{signal}");
    }
    let (run, _) = listen(format!("{} -- true", unix(&path)));
    run.end().check(0, "");
    assert!(!path.exists());
    // Also if the next address is refused.
    let run = fdscope(format!("{} unix:/nonexistent/socket", unix(&path))).run();
    run.check(3, "there is no directory /nonexistent").prints("");
    assert!(!path.exists());
}

/// What somebody else has put there meanwhile stays.
#[test]
fn what_is_not_ours_any_more_stays() {
    let (_directory, path) = place();
    let (run, _) = listen(unix(&path));
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    assert!(path.exists());
}

#[test]
fn a_relative_path() {
    let (directory, path) = place();
    let run = fdscope("unix:socket --serve echo --count 1").in_directory(directory.path());
    let (run, listening) = super::start(run);
    assert_eq!(address(&listening), "unix:socket");
    assert_eq!(exchange(connect(&unix(&path)), b"hello"), b"hello");
    run.end().check(0, "");
    assert!(!path.exists());
}

#[test]
fn its_mode() {
    let (_directory, path) = place();
    for wanted in [0o600, 0o666, 0o777, 0o0] {
        let (run, _) = listen(format!("{} --mode {wanted:04o}", unix(&path)));
        assert_eq!(mode(&path), wanted);
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// Nobody listens: it is of a program that has crashed.
#[test]
fn a_stale_one_is_replaced() {
    let (_directory, path) = place();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let (run, _) = listen(format!("{} --serve echo --count 1", unix(&path)));
    assert_eq!(exchange(connect(&unix(&path)), b"hello"), b"hello");
    run.end().check(0, "");
    assert!(!path.exists());
}

/// It is named who has it, and he keeps it.
#[test]
fn a_live_one_is_refused() {
    let refused = |path: &Path| {
        let why = format!("fdscope: cannot listen on {}: the socket file is in use by ", unix(path));
        let run = fdscope(unix(path)).run();
        run.check(3, &why).prints("");
        run.check(3, &format!(" ({}, fd ", std::process::id()));
        assert!(path.exists());
    };
    let (_directory, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    refused(&path);
    // Of whichever type, and under whichever name.
    let link = path.with_extension("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    refused(&link);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody has knocked");
    let datagrams = path.with_extension("datagrams");
    let _socket = UnixDatagram::bind(&datagrams).unwrap();
    refused(&datagrams);
}

/// Of another network namespace, and not listening yet: nobody can tell whose it is, and it stays.
#[test]
fn one_of_another_network_is_refused() {
    let (_directory, path) = place();
    for socket_type in [SocketType::STREAM, SocketType::SEQPACKET, SocketType::DGRAM] {
        let socket = rustix::net::socket(AddressFamily::UNIX, socket_type, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        in_own_network(|| {
            let run = fdscope(unix(&path)).run();
            run.check(3, "the socket file is in use, by a process that may not be read or is in ").prints("");
            assert!(path.exists(), "{socket_type:?}");
        });
        std::fs::remove_file(&path).unwrap();
    }
}

/// As is anything that is no socket.
#[test]
fn other_files_are_not_touched() {
    let (directory, path) = place();
    std::fs::write(&path, "text").unwrap();
    let run = fdscope(unix(&path)).run();
    let why = format!(
        "fdscope: cannot listen on {}: there is a file of that name, which is not a socket\n",
        unix(&path)
    );
    run.check(3, &why).prints("");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
    let run = fdscope(unix(directory.path())).run();
    run.check(3, "there is a file of that name, which is not a socket\n").prints("");
    // A link that leads nowhere is in the way, too.
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("/nonexistent", &link).unwrap();
    fdscope(unix(&link)).run().check(3, "there is a file of that name, which is not a socket\n").prints("");
    assert!(link.is_symlink());
}
