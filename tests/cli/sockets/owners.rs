//! Who holds a socket: several processes and fds, nobody, and whose it is.

use super::{
    absent, check, connection, holder, holder_of, inode, listener, of, option, records, settles, sockets,
};
use crate::support::{Ended, NOBODY, capable, eventually};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

const SO_COOKIE: i32 = 57;

/// `CAP_CHOWN`.
const CHOWN: u32 = 0;

/// A child that has the socket as its stdin, and ends with it.
pub(super) struct Heir(Ended);

impl Heir {
    pub(super) fn of(socket: &impl AsFd) -> Self {
        let stdin = socket.as_fd().try_clone_to_owned().unwrap();
        let sleep = Command::new("sleep").arg("60").stdin(stdin).stdout(Stdio::null()).spawn();
        let heir = Self(Ended(sleep.expect("sleep starts")));
        let name = || std::fs::read_to_string(format!("/proc/{}/comm", heir.0.id()));
        eventually("it has its name", || name().is_ok_and(|name| name == "sleep\n"));
        heir
    }
}

/// By pid, and then by fd.
#[test]
fn several_fds_of_several_processes() {
    let ours = listener("127.0.0.1:0", 5);
    let copy = ours.try_clone().unwrap();
    let heirs = [Heir::of(&ours), Heir::of(&ours)];
    let mut expected = vec![holder(&ours), holder(&copy)];
    expected.extend(heirs.iter().map(|heir| holder_of(heir.0.id(), 0)));
    expected.sort_by_key(|h| (h["pid"].as_u64(), h["fd"].as_u64()));
    check(of(&records("--family tcp"), &ours), &json!({"owners": expected}));
    // Whose peers are those that hold the other end.
    let (client, server) = connection(&ours);
    let heir = Heir::of(&server);
    let mut peers = vec![holder(&server), holder_of(heir.0.id(), 0)];
    peers.sort_by_key(|h| h["pid"].as_u64());
    check(of(&records("--family tcp"), &client), &json!({"peers": peers}));
    let port = ours.local_addr().unwrap().port();
    // A cell names each process once, with its fds.
    let fds = [&ours, &copy].map(|socket| socket.as_raw_fd());
    let own = format!(" {},{}", fds[0].min(fds[1]), fds[0].max(fds[1]));
    let table = || {
        let row = sockets(format!("-l 127.0.0.1:{port} --no-header")).ok().stdout();
        let heirs = heirs.iter().all(|heir| row.contains(&format!("{}/", heir.0.id())));
        heirs
            && row.contains(&format!("{}/", std::process::id()))
            && row.contains(&own)
            && !row.contains("more")
    };
    settles(table, &true);
    let tsv =
        || sockets(format!("-l 127.0.0.1:{port} --no-header --format tsv --columns owners")).ok().stdout();
    settles(|| tsv().trim_end().split(',').count(), &4);
    // Each of them selects it.
    for pid in [std::process::id(), heirs[0].0.id()] {
        assert_eq!(records(format!("-l --process {pid} 127.0.0.1:{port}")).len(), 1);
    }
    check(of(&records(format!("--process {}:0", heirs[1].0.id())), &ours), &json!({"state": "listen"}));
}

#[test]
fn whose_it_is_and_where() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let cookie = u64::from_ne_bytes(*option(&socket, libc::SOL_SOCKET, SO_COOKIE).first_chunk().unwrap());
    let namespace = std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino();
    let own = rustix::process::geteuid().as_raw();
    let expected = json!({"inode": inode(&socket), "cookie": cookie, "netns": namespace, "uid": own});
    let look = |arguments: &str| of(&records(arguments), &socket).clone();
    check(&look("--family udp --wide"), &expected);
    if !capable(CHOWN) {
        eprintln!("skipped: a socket that was given away, because that takes CAP_CHOWN");
        return;
    }
    rustix::fs::fchown(&socket, Some(rustix::fs::Uid::from_raw(NOBODY)), None).unwrap();
    let user = nix::unistd::User::from_uid(NOBODY.into()).unwrap();
    let name = user.map_or_else(|| NOBODY.to_string(), |user| user.name);
    check(&look("--family udp --wide"), &json!({"uid": NOBODY, "user": name}));
    check(&look("--where uid==65534"), &json!({"uid": NOBODY}));
}

/// On its way to somebody, and not there yet.
fn send(socket: impl AsFd) -> (UnixStream, UnixStream) {
    let (from, to) = UnixStream::pair().unwrap();
    let fds = [socket.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    assert!(message.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(&from, &[IoSlice::new(b"x")], &mut message, SendFlags::empty()).unwrap();
    (from, to)
}

#[test]
fn a_socket_that_no_process_has() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let number = inode(&socket);
    let _on_its_way = send(&socket);
    drop(OwnedFd::from(socket));
    let document = sockets("--family udp --json").ok().json();
    let records = document["records"].as_array().unwrap();
    let record = records.iter().find(|r| r["inode"] == number).expect("it is still there");
    // Only where everybody may be seen it is sure that nobody has it.
    let expected = if document["denied"] == 0 && sees_all() {
        json!({"owners": [], "unowned": "no-fd"})
    } else {
        json!({"owners": null, "unowned": absent()})
    };
    check(record, &expected);
    assert!(of_process(records).all(|r| r["inode"] != number));
}

/// Whether we are in the first pid namespace, whose number is fixed.
fn sees_all() -> bool {
    std::fs::metadata("/proc/self/ns/pid").is_ok_and(|stat| stat.ino() == 0xefff_fffc)
}

fn of_process(records: &[Value]) -> impl Iterator<Item = &Value> {
    let own = std::process::id();
    let is = move |owner: &Value| owner["pid"] == own;
    records.iter().filter(move |r| r["owners"].as_array().is_some_and(|owners| owners.iter().any(is)))
}

/// From within a pid namespace, others cannot be seen, and so it is not said that there are none.
#[test]
fn processes_of_other_pid_namespaces() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let through = ["unshare", "--pid", "--fork", "--mount-proc"];
    let possible = Command::new(through[0]).args(&through[1..]).arg("true").stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: another pid namespace, because unshare(1) cannot make one");
        return;
    }
    let run = crate::support::Fdscope::through(&through, "sockets --netns own --family udp --json").run();
    run.check(0, "processes outside this pid namespace");
    check(of(&run.records(), &socket), &json!({"owners": null, "unowned": absent()}));
}
