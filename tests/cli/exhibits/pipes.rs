//! Pipes and FIFOs.

use super::exhibits;
use crate::support::{Keeper, Skip};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};
use serde_json::json;
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "pipes": pipe full packets both_ends fifo fifo_by_path }

fn inode(pipe: &OwnedFd) -> u64 {
    rustix::fs::fstat(pipe).unwrap().st_ino
}

fn pipe(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap();
    let size = fcntl_setpipe_size(&reader, 16384).unwrap();
    assert_eq!(rustix::io::write(&writer, b"hello"), Ok(5));
    let inode = inode(&reader);
    let end = |end| {
        json!({
            "kind": "pipe", "name": {"$holds": format!("{end} end of {inode}, 5 of ")},
            "path": {"$absent": true}, "deleted": {"$absent": true},
            "pipe": {"end": end, "inode": inode, "queued": 5, "capacity": size},
        })
    };
    keeper.show("reader", reader, end("read"));
    keeper.show("writer", writer, end("write"));
    let (reader, _writer) = pipe_with(PipeFlags::empty()).unwrap();
    let name = format!("read end of {}, empty", rustix::fs::fstat(&reader).unwrap().st_ino);
    keeper.show("blocking", reader, json!({"kind": "pipe", "name": name, "pipe": {"queued": 0}}));
    Ok(())
}

fn full(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
    let size = fcntl_getpipe_size(&reader).unwrap();
    let block = vec![0; 4096];
    while rustix::io::write(&writer, &block).is_ok() {}
    keeper.show("writer", writer, json!({"name": {"$holds": ", full ("}, "pipe": {"queued": size}}));
    keeper.keep(reader);
    Ok(())
}

fn packets(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::DIRECT).unwrap();
    keeper.show("writer", writer, json!({"pipe": {"end": "write"}}));
    keeper.keep(reader);
    Ok(())
}

fn both_ends(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let both = rustix::fs::open(path, OFlags::RDWR, Mode::empty()).unwrap();
    let expected = json!({"access": "rw", "pipe": {"end": "both", "inode": inode(&reader)}});
    keeper.show("both", both, expected);
    keeper.keep((reader, writer));
    Ok(())
}

fn fifo(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("fifo");
    rustix::fs::mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let open = |flags| rustix::fs::open(&path, flags, Mode::empty()).unwrap();
    let reader = open(OFlags::RDONLY | OFlags::NONBLOCK);
    let (writer, both) = (open(OFlags::WRONLY), open(OFlags::RDWR));
    assert_eq!(rustix::io::write(&writer, b"abc"), Ok(3));
    let capacity = fcntl_getpipe_size(&reader).unwrap();
    let end = |end| {
        let fields = json!({"end": end, "queued": 3, "capacity": capacity});
        json!({"kind": "fifo", "path": path, "fifo": fields})
    };
    keeper.show("reader", reader, end("read"));
    keeper.show("writer", writer, end("write"));
    keeper.show("both", both, end("both"));
    Ok(())
}

/// O_PATH on a FIFO is no end of it.
fn fifo_by_path(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("fifo");
    rustix::fs::mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let fifo = rustix::fs::open(&path, OFlags::PATH, Mode::empty()).unwrap();
    let expected = json!({"kind": "fifo", "name": path, "fifo": {"$absent": true}});
    keeper.show("fifo", fifo, expected);
    Ok(())
}
