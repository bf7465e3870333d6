//! What cannot be listened on, and command lines that make no sense.

use super::{abstract_name, fdscope, listen};
use crate::support::{Fdscope, NOBODY, in_own_network, run_as};
use nix::sys::signal::Signal;
use rustix::net::{AddressFamily, SocketType};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

/// A refusal: one line, and nothing listened on.
fn refused(run: Fdscope, why: &str) {
    let run = run.run();
    run.check(3, &format!("fdscope: {why}")).prints("");
    assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
}

/// Who we are, as it is told.
fn us(fd: &impl AsRawFd) -> String {
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    format!("{} ({}, fd {})", name.trim(), std::process::id(), fd.as_raw_fd())
}

/// It is said who has it, even if that is on all addresses.
#[test]
fn a_port_in_use() {
    for held in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let Ok(listener) = TcpListener::bind(held) else { continue };
        let to = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let why = format!("cannot listen on {to}: the port is in use by ");
        refused(fdscope(&to), &why);
        fdscope(&to).run().check(3, &us(&listener));
    }
    // By another of us, which shares it if both are asked to.
    let (run, listening) = listen("127.0.0.1:0 --reuse-port");
    let to = super::address(&listening);
    let holder = format!("fdscope ({}, fd {})", run.pid(), listening["fd"]);
    refused(fdscope(to), &format!("cannot listen on {to}: the port is in use by {holder}\n"));
    let (second, _) = listen(format!("{to} --reuse-port"));
    for run in [run, second] {
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// Whether it listens or not.
#[test]
fn a_port_that_is_bound() {
    let family = rustix::net::AddressFamily::INET;
    let bound = rustix::net::socket(family, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&bound, &"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap()).unwrap();
    let address = rustix::net::getsockname(&bound).unwrap();
    let to = std::net::SocketAddr::try_from(address).unwrap();
    let why = "the port is in use: a socket that is bound and does not listen, or a connection, has it";
    refused(fdscope(to.to_string()), &format!("cannot listen on {to}: {why}"));
}

#[test]
fn an_abstract_name_in_use() {
    let name = abstract_name("in-use");
    let address = SocketAddr::from_abstract_name(&name["unix:@".len()..]).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    refused(fdscope(&name), &format!("cannot listen on {name}: the name is in use by "));
    fdscope(&name).run().check(3, &us(&listener));
}

#[test]
fn without_the_right() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: listening without a right, because only root can become another user");
        return;
    }
    let as_nobody = |arguments: &str| fdscope(arguments).with(|c| run_as(c, NOBODY));
    // In a network of its own nobody has changed which ports take a right.
    in_own_network(|| {
        let why = "ports below 1024 take CAP_NET_BIND_SERVICE, which root has (net.ipv4.ip_unprivileged_port_start)";
        for address in ["127.0.0.1:1023", "127.0.0.1:1"] {
            refused(as_nobody(address), &format!("cannot listen on {address}: {why}\n"));
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display();
    let why = format!("cannot listen on unix:{place}/socket: files may not be made in {place}\n");
    refused(as_nobody(&format!("unix:{place}/socket")), &why);
    // Who has a port is not for everybody to see.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let why = format!("cannot listen on {to}: the port is in use by a process that may not be read\n");
    refused(as_nobody(&to), &why);
}

#[test]
fn addresses_that_are_not_there() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().display();
    for (address, why) in [
        // TEST-NET-1 of RFC 5737 is no machine's.
        (
            "192.0.2.1:8080",
            "this machine has no such address; see ip-address(8), or listen on all with :PORT",
        ),
        ("unix:/nonexistent/socket", "there is no directory /nonexistent"),
        (&format!("unix:{file}/socket"), &format!("{file} is not a directory")),
    ] {
        refused(fdscope(address), &format!("cannot listen on {address}: {why}\n"));
    }
    let (address, cid) = ("vsock:9999:4444", nix::sys::socket::VsockAddr::new(9999, 4444));
    let bound = rustix::net::socket(AddressFamily::VSOCK, SocketType::STREAM, None)
        .map_err(std::io::Error::from)
        .and_then(|socket| Ok(nix::sys::socket::bind(socket.as_raw_fd(), &cid)?));
    match bound.map_err(|e| e.kind()) {
        Err(ErrorKind::AddrNotAvailable) => {
            let why = "this machine has no such CID; listen on all with vsock:any:4444";
            refused(fdscope(address), &format!("cannot listen on {address}: {why}\n"));
        }
        other => eprintln!("skipped: {address}, because that is not refused for its CID: {other:?}"),
    }
    // RFC 6761: no name below it has an address.
    let name = "fdscope.invalid";
    let why = format!("the name '{name}' has no address: ");
    refused(fdscope(format!("{name}:80")), &why);
}

/// The last one that fits, and the first that does not.
#[test]
fn the_length_of_paths() {
    let directory = tempfile::tempdir().unwrap();
    let path = |length: usize| {
        let start = format!("unix:{}/", directory.path().display());
        let rest = length + "unix:".len() - start.len();
        format!("{start}{}", "x".repeat(rest))
    };
    let name = |length: usize| {
        let start = abstract_name("long");
        let rest = length + "unix:@".len() - start.len();
        format!("{start}{}", "x".repeat(rest))
    };
    for fits in [path(107), name(107)] {
        let (run, listening) = listen(&fits);
        assert_eq!(super::address(&listening), fits);
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
    let too_long = "may have 107 bytes (sun_path of unix(7)), and this has 108; a shorter one";
    for (address, what) in [(path(108), "the path of a socket"), (name(108), "the abstract name")] {
        fdscope(address).run().check(2, &format!("{what} {too_long}")).prints("");
    }
}

#[test]
fn words_that_make_no_sense() {
    for (arguments, why) in [
        ("", "an ADDRESS to listen on is missing"),
        ("8080", "for port 8080, write :8080 (all addresses) or 127.0.0.1:8080"),
        ("localhost", "an address is HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH, unix:@NAME or vsock:CID:PORT"),
        ("/tmp/x", "for a socket file, write unix:/tmp/x"),
        ("127.0.0.1:99999", "'99999' is not a port: a number from 0 (any that is free) to 65535"),
        (":http", "'http' is not a port"),
        ("::1:80", "an IPv6 address stands in brackets: [::1]:80"),
        ("[::1:80", "lacks its closing bracket"),
        ("unix:", "unix: wants a path, or @ and an abstract name"),
        ("unix:@", "an abstract name has at least one byte"),
        ("vsock:1", "a vsock address is vsock:CID:PORT"),
        ("vsock:x:1", "'x' is not a CID"),
        ("127.0.0.1:0 --backlog -2", "-2 is not in -1..=2147483647"),
        ("127.0.0.1:0 --backlog 2147483648", "2147483648 is not in -1..=2147483647"),
        ("127.0.0.1:0 --backlog many", "invalid value 'many'"),
        ("--fd x", "an fd is a number such as 3, or 'systemd'"),
        ("127.0.0.1:0 --accept some", "it is 'all', 'none' or a number"),
        ("127.0.0.1:0 --accept-rate 0/s", "'0/s' is not a rate"),
        ("127.0.0.1:0 --accept-delay 1y2", "'1y2' is not a duration"),
        ("127.0.0.1:0 --timeout 0", "it must be more than nothing"),
        ("127.0.0.1:0 --interval 0s", "it must be more than nothing"),
        ("127.0.0.1:0 --count 0", "0 is not in 1.."),
        ("127.0.0.1:0 --max-children 0", "0 is not in 1.."),
        (
            "127.0.0.1:0 --serve ecko",
            "there is no such service; there are discard, echo, hold, close, send=FILE, http",
        ),
        ("127.0.0.1:0 --serve send=/nonexistent", "cannot read /nonexistent: No such file or directory"),
        ("127.0.0.1:0 --serve send=/", "it is not a regular file"),
        ("127.0.0.1:0 --model fibers", "threads, processes, event-loop"),
        ("127.0.0.1:0 --recv-buffer 0", "'0' is not a number of bytes"),
        ("unix:/tmp/x --mode 0999", "'0999' is not a mode in octal"),
        ("--watch-only x", "'x' is neither a port from 1 to 65535 nor PID:FD"),
        ("--watch-only 0", "'0' is neither a port from 1 to 65535 nor PID:FD"),
        (
            "127.0.0.1:0 --fd-name a:b -- true",
            "a name is of 1 to 255 printable ASCII characters, and no colon",
        ),
    ] {
        fdscope(arguments).run().check(2, why).prints("");
    }
}

#[test]
fn options_that_do_not_go_together() {
    for (arguments, why) in [
        ("127.0.0.1:0 --serve echo -- true", "'--serve <SERVICE>' cannot be used with '[COMMAND]...'"),
        ("127.0.0.1:0 --accept none -- true", "'--accept <HOW-MANY>' cannot be used with '[COMMAND]...'"),
        ("127.0.0.1:0 --count 1 -- true", "'--count <N>' cannot be used with '[COMMAND]...'"),
        ("127.0.0.1:0 --exec cat --serve echo", "'--exec <CMD>' cannot be used with '--serve <SERVICE>'"),
        ("127.0.0.1:0 --exec cat --model threads", "'--exec <CMD>' cannot be used with '--model <MODEL>'"),
        ("127.0.0.1:0 --nonblocking --blocking", "'--nonblocking' cannot be used with '--blocking'"),
        ("127.0.0.1:0 --watch-only 80", "'[ADDRESS]...' cannot be used with '--watch-only <PID:FD|PORT>'"),
        ("--watch-only 80 --backlog 1", "'--watch-only <PID:FD|PORT>' cannot be used with '--backlog <N>'"),
        ("--watch-only 80 --mode 0600", "--watch-only looks at a listener of others: options of sockets"),
        ("--watch-only 80 --serve echo", "cannot be used with"),
        ("127.0.0.1:0 --fd-name x", "required arguments were not provided"),
        ("127.0.0.1:0 --fd-name a --fd-name b -- true", "there are more --fd-name than listeners"),
        (
            "127.0.0.1:0 127.0.0.1:0 -- echo {} {} {}",
            "there are 2 listeners, and more {} than that in COMMAND",
        ),
        ("127.0.0.1:0 --mode 0600", "--mode is for socket files: unix:PATH"),
        ("127.0.0.1:0 --type seqpacket", "--type seqpacket is for unix sockets"),
        ("127.0.0.1:0 --max-children 3", "--max-children is for --exec and --model processes"),
        ("unix:@x --v6-only", "are for TCP addresses"),
        ("unix:@x --defer-accept 1", "are for TCP addresses"),
        ("127.0.0.1:0 -a 1 -n 2", "--count waits for more connections than --accept lets in"),
        ("--inetd", "--inetd: standard input is not a socket"),
        ("127.0.0.1:0 --inetd", "'[ADDRESS]...' cannot be used with '--inetd'"),
    ] {
        fdscope(arguments).run().check(2, why).prints("");
    }
}

#[test]
fn an_output_file_that_cannot_be_made() {
    let run = fdscope("127.0.0.1:0 --output /nonexistent/x").run();
    run.check(2, "fdscope: cannot write /nonexistent/x: No such file or directory (os error 2)\n").prints("");
}
