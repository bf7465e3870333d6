//! A filesystem whose server does not answer must not stop a listing.

use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, difference, needs, numbers, own_mounts};
use nix::mount::{MsFlags, mount};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use serde_json::json;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

listed! { "hang": dead_server }

/// `enum fuse_opcode` of linux/fuse.h.
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const UNLINK: u32 = 10;
const OPEN: u32 = 14;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;

/// Inodes of the root and of the files in it.
const ROOT: u64 = 1;
const FILE: u64 = 2;
const UNLINKED: u64 = 3;

/// A FUSE filesystem with two files, whose server answers until they are open and then never
/// again.
fn dead_server(keeper: &mut Keeper) -> Result<(), Skip> {
    own_mounts()?;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let device = needs(rustix::fs::open("/dev/fuse", flags, Mode::empty()), "/dev/fuse")?;
    let dir = keeper.path("mount");
    std::fs::create_dir(&dir).unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
    let mounted = mount(Some("none"), dir.as_str(), Some("fuse"), MsFlags::empty(), Some(options.as_str()));
    needs(mounted, "mounting FUSE")?;
    let stop = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
    let stopped = stop.try_clone().unwrap();
    let server = std::thread::spawn(move || serve(File::from(device), &stopped));
    // The first close is answered by ENOSYS, so that the kernel never asks again: a helper that
    // is killed would wait for that answer.
    drop(File::open(format!("{dir}/file")).unwrap());
    let file = File::open(format!("{dir}/file")).unwrap();
    keeper.told["file"] = file.as_raw_fd().into();
    keeper.keep(file);
    // Unlinked while another name is left: only its directory can tell whether it is gone.
    let unlinked = File::open(format!("{dir}/unlinked")).unwrap();
    keeper.told["unlinked"] = unlinked.as_raw_fd().into();
    #[allow(unsafe_code)]
    // SAFETY: the kernel chooses an address where nothing is, and nobody uses the memory.
    unsafe { mmap(std::ptr::null_mut(), 4096, ProtFlags::READ, MapFlags::SHARED, &unlinked, 0) }.unwrap();
    keeper.keep(unlinked);
    std::fs::remove_file(format!("{dir}/unlinked")).unwrap();
    let counter = eventfd(1, EventfdFlags::empty()).unwrap();
    keeper.show("behind", counter, json!({"kind": "eventfd"}));
    rustix::io::write(&stop, &1u64.to_ne_bytes()).unwrap();
    // Its own fd of that is closed by then.
    server.join().unwrap();
    keeper.keep(stop);
    Ok(())
}

/// Answers what opening and unlinking takes, without letting anything be cached. Told to stop, it
/// reads no more: a request that nobody has read ends with the process that made it.
fn serve(mut device: File, stopped: &OwnedFd) {
    let mut buffer = vec![0; 1 << 17];
    loop {
        let mut waits = [PollFd::new(&device, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        poll(&mut waits, None).unwrap();
        if !waits[1].revents().is_empty() {
            // Closing the device would tell everybody that the server is gone.
            std::mem::forget(device);
            return;
        }
        let Ok(length) = device.read(&mut buffer) else { return };
        let request = &buffer[..length];
        let word = |at: usize| u32::from_ne_bytes(request[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_ne_bytes(request[at..at + 8].try_into().unwrap());
        let (opcode, unique, node) = (word(4), long(8), long(16));
        let body: Vec<u8> = match opcode {
            // major, minor, max_readahead, flags, queue sizes, max_write, time_gran, zeroes.
            INIT => {
                [7u32, 31, 0, 0, 0, 1 << 16, 1].iter().flat_map(|n| n.to_ne_bytes()).chain([0; 36]).collect()
            }
            // struct fuse_entry_out: node, generation, how long both are valid, attributes.
            LOOKUP => {
                let node = if request[40..].starts_with(b"file\0") { FILE } else { UNLINKED };
                [node, 0, 0, 0, 0].iter().flat_map(|n| n.to_ne_bytes()).chain(attributes(node)).collect()
            }
            GETATTR => [0u64, 0].iter().flat_map(|n| n.to_ne_bytes()).chain(attributes(node)).collect(),
            // struct fuse_open_out.
            OPEN | OPENDIR => vec![0; 16],
            _ => Vec::new(),
        };
        let error: i32 = if body.is_empty() && opcode != UNLINK { -libc::ENOSYS } else { 0 };
        let mut answer = Vec::from((16 + body.len() as u32).to_ne_bytes());
        answer.extend(error.to_ne_bytes());
        answer.extend(unique.to_ne_bytes());
        answer.extend(body);
        // FORGET and the like want no answer.
        let _ = device.write(&answer);
    }
}

/// `struct fuse_attr`.
fn attributes(node: u64) -> Vec<u8> {
    let mode: u32 = if node == ROOT { libc::S_IFDIR | 0o755 } else { libc::S_IFREG | 0o644 };
    let mut bytes: Vec<u8> = [node, 5, 1, 0, 0, 0].iter().flat_map(|n| n.to_ne_bytes()).collect();
    bytes.extend([0, 0, 0, mode, 2, 0, 0, 0, 4096, 0].iter().flat_map(|n: &u32| n.to_ne_bytes()));
    bytes
}

/// Far more than a listing takes, and far less than for ever.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_dead_filesystem_stops_nothing() {
    let helper = Helper::start("hang::dead_server");
    if helper.was_skipped() {
        return;
    }
    let timed = |fdscope: Fdscope| {
        let start = Instant::now();
        let run = fdscope.run();
        assert!(start.elapsed() < SOON, "it took {:?}: {}", start.elapsed(), run.stderr());
        run
    };
    let run = timed(helper.list("--json"));
    let document = run.json();
    let records = document["records"].as_array().unwrap();
    let fds: Vec<i64> = records.iter().map(|r| r["fd"].as_i64().unwrap()).collect();
    assert_eq!(fds, numbers(helper.pid()), "the rows are there, and those behind them");
    let file = |name: &str| records.iter().find(|r| r["fd"] == helper.told[name]);
    // What the kernel remembers is enough: nobody is asked.
    for (name, deleted) in [("file", false), ("unlinked", true)] {
        let path = helper.dir().join("mount").join(name);
        let expected = json!({"kind": "regular", "path": path.to_str(), "deleted": deleted});
        assert_eq!(difference(&expected, file(name)), Vec::<String>::new());
    }
    assert_eq!(document["complete"], true);
    run.check(0, "");
    let behind = records.iter().find(|r| r["fd"] == helper.fd("behind"));
    assert_eq!(difference(&json!({"kind": "eventfd"}), behind), Vec::<String>::new());
    for arguments in
        ["--assoc --mappings", "--deleted", "--path /dev/null", "--wide", "--where regular.size>3"]
    {
        timed(helper.list(arguments));
    }
    let deleted = timed(helper.list("--mappings --where deleted --columns fd,assoc,path --json")).records();
    let path = helper.dir().join("mount/unlinked");
    let row = |assoc: &str| json!({"assoc": assoc, "path": path.to_str()});
    let expected = json!({"$set": [row("fd"), row("mem")]});
    assert_eq!(difference(&expected, Some(&json!(deleted))), Vec::<String>::new());
    timed(Fdscope::new("list --json --quiet"));
    // To find the other end of a FIFO, every file is looked at.
    let fifo = Helper::start("peers::fifo");
    let run = timed(fifo.list(&format!("--fd {} --peers --json --quiet", fifo.fd("writer"))));
    assert_eq!(run.check(0, "").records()[0]["peers"].as_array().map(Vec::len), Some(1));
    timed(Fdscope::new(format!("limits {}", helper.pid())));
}

#[test]
fn a_search_below_a_dead_filesystem_does_not_hang() {
    let helper = Helper::start("hang::dead_server");
    if helper.was_skipped() {
        return;
    }
    let pid = helper.pid();
    let inside = format!("--mount=/proc/{pid}/ns/mnt");
    let possible = std::process::Command::new("nsenter").args([&inside, "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a search below a dead filesystem, because nsenter(1) cannot go there");
        return;
    }
    let dir = helper.dir().to_str().unwrap();
    std::os::unix::fs::symlink("mount", helper.dir().join("link")).unwrap();
    let file = &helper.told["file"];
    for (path, finds) in [
        (format!("{dir}/mount"), true),
        (format!("{dir}/mount/"), true),
        (format!("{dir}/mount/file"), true),
        (format!("{dir}/mount/nosuch/x"), false),
        (format!("{dir}/link"), true),
        (format!("{dir}/link/file"), true),
        (format!("{dir}/mount/../mount"), true),
        (format!("{dir}/mount/nosuch/../file"), true),
        (format!("/proc/{pid}/fd/{file}"), true),
        (format!("/proc/{pid}/root{dir}/mount/file"), true),
        (format!("/proc/{pid}/cwd/mount/file"), true),
    ] {
        for words in [&["nsenter", &inside[..]][..], &["env"]] {
            // From outside, the names are of other files.
            let is_known = words.len() == 2 || path.starts_with("/proc");
            let start = Instant::now();
            let run = Fdscope::through(words, format!("list {pid} --json --path {path}")).run();
            assert!(start.elapsed() < SOON, "{path}: it took {:?}", start.elapsed());
            let found = run.records().iter().any(|r| r["fd"] == *file);
            assert_eq!(found, finds && is_known, "{path} by {words:?}: {}", run.stderr());
        }
    }
}
