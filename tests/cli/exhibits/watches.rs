//! Watches on files.

use super::exhibits;
use crate::support::{Keeper, Skip, call, call_fd, capable, needs, own_mounts};
use nix::mount::{MsFlags, mount};
use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use serde_json::{Value, json};
use std::ffi::CString;
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "watches": inotify inotify_empty fanotify_inode fanotify_mount }

/// `CAP_DAC_READ_SEARCH`, without which a watched file shows no path.
const READ_SEARCH: u32 = 2;

/// The path that is expected: none where we may not ask for it.
fn path_or_none(path: &str) -> Value {
    if capable(READ_SEARCH) { json!(path) } else { json!({"$absent": true}) }
}

/// A user has few of them, and other programs of the machine may have them all.
fn instance(flags: CreateFlags) -> Result<OwnedFd, Skip> {
    needs(init(flags), "inotify (fs.inotify.max_user_instances)")
}

fn inotify(keeper: &mut Keeper) -> Result<(), Skip> {
    let (dir, file) = (keeper.path("dir"), keeper.path("dir/a file"));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(&file, "").unwrap();
    let inotify = instance(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ONLYDIR;
    let first = add_watch(&inotify, &dir, flags).unwrap();
    let second = add_watch(&inotify, &file, WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE).unwrap();
    let inode = |path: &str| rustix::fs::stat(path).unwrap().st_ino;
    let device = rustix::fs::stat(&dir).unwrap().st_dev;
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let watched = json!({"$set": [
        {"wd": first, "events": ["create", "delete"], "inode": inode(&dir), "device": device,
         "path": path_or_none(&dir)},
        {"wd": second, "events": ["modify", "close-write"], "inode": inode(&file),
         "path": path_or_none(&file)},
    ]});
    keeper.show(
        "inotify",
        inotify,
        json!({"kind": "inotify", "inotify": {"watches": 2, "watched": watched}}),
    );
    Ok(())
}

fn inotify_empty(keeper: &mut Keeper) -> Result<(), Skip> {
    let inotify = instance(CreateFlags::empty())?;
    let fields = json!({"watches": 0, "watched": []});
    keeper.show("empty", inotify, json!({"kind": "inotify", "name": "no watches", "inotify": fields}));
    Ok(())
}

fn fanotify(flags: u32) -> Result<OwnedFd, Skip> {
    let flags = (flags | libc::FAN_NONBLOCK) as usize;
    needs(call_fd(libc::SYS_fanotify_init, [flags, libc::O_RDONLY as usize, 0, 0, 0, 0]), "fanotify")
}

fn mark(fanotify: &OwnedFd, flags: u32, mask: u64, path: &str) {
    let path = CString::new(path).unwrap();
    let fd = fanotify.as_raw_fd() as usize;
    let arguments = [fd, flags as usize, mask as usize, libc::AT_FDCWD as usize, path.as_ptr() as usize, 0];
    call(libc::SYS_fanotify_mark, arguments).unwrap();
}

fn fanotify_inode(keeper: &mut Keeper) -> Result<(), Skip> {
    let dir = keeper.path("dir");
    std::fs::create_dir(&dir).unwrap();
    let fd = fanotify(libc::FAN_CLASS_CONTENT)?;
    let mask = libc::FAN_OPEN | libc::FAN_CLOSE_WRITE | libc::FAN_EVENT_ON_CHILD;
    mark(&fd, libc::FAN_MARK_ADD, mask, &dir);
    let marked = json!([{
        "type": "inode", "inode": rustix::fs::stat(&dir).unwrap().st_ino, "path": path_or_none(&dir),
        "events": {"$set": ["open", "close-write", "event-on-child"]},
    }]);
    let fields = json!({"class": "content", "marks": 1, "marked": marked});
    keeper.show("inode", fd, json!({"kind": "fanotify", "fanotify": fields}));
    Ok(())
}

/// Marks on a mount and on a filesystem that nobody else sees.
fn fanotify_mount(keeper: &mut Keeper) -> Result<(), Skip> {
    own_mounts()?;
    let dir = keeper.path("a mount");
    std::fs::create_dir(&dir).unwrap();
    mount(Some("none"), dir.as_str(), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    let fd = fanotify(libc::FAN_CLASS_NOTIF)?;
    mark(&fd, libc::FAN_MARK_ADD | libc::FAN_MARK_MOUNT, libc::FAN_MODIFY, &dir);
    let marked = json!([{"type": "mount", "path": dir, "events": ["modify"]}]);
    let fields = json!({"class": "notif", "marks": 1, "marked": marked});
    keeper.show("mount", fd, json!({"kind": "fanotify", "fanotify": fields}));
    let fd = fanotify(libc::FAN_CLASS_NOTIF)?;
    mark(&fd, libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, libc::FAN_ACCESS, &dir);
    let device = rustix::fs::stat(&dir).unwrap().st_dev;
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let marked = json!([{"type": "filesystem", "device": device, "events": ["access"]}]);
    keeper.show("filesystem", fd, json!({"fanotify": {"marked": marked}}));
    Ok(())
}
