//! Regular files, directories, devices, symbolic links.

use super::exhibits;
use crate::support::{Keeper, Skip, call, needs};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use serde_json::json;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

exhibits! { "files":
    regular append_and_sync direct deleted without_name one_name_left called_deleted strange_names
    flock posix_lock ofd_lock lease directory character_device node_elsewhere block_device
    path_only symlink
}

fn create(path: impl AsRef<Path>) -> File {
    File::create_new(path).expect("a new file")
}

fn open(path: impl AsRef<Path>, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path.as_ref(), flags, Mode::RUSR | Mode::WUSR)
}

fn regular(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("ten");
    std::fs::write(&path, "0123456789").unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    keeper.show(
        "regular",
        file,
        json!({
            "kind": "regular", "name": path, "path": path, "deleted": false, "pos": 4,
            "command": std::fs::read_to_string("/proc/self/comm").unwrap().trim_end(),
            "uid": rustix::process::geteuid().as_raw(), "tid": {"$absent": true},
            "regular": {"size": 10, "links": 1, "locks": []},
        }),
    );
    Ok(())
}

fn append_and_sync(keeper: &mut Keeper) -> Result<(), Skip> {
    for (name, flags) in [("sync", OFlags::SYNC), ("dsync", OFlags::DSYNC)] {
        let path = keeper.path(name);
        let file = open(&path, flags | OFlags::APPEND | OFlags::WRONLY | OFlags::CREATE).unwrap();
        keeper.show(name, file, json!({"kind": "regular", "access": "w", "path": path}));
    }
    Ok(())
}

fn direct(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("direct");
    let flags = OFlags::DIRECT | OFlags::NOATIME | OFlags::RDWR | OFlags::CREATE;
    let file = needs(open(path, flags), "O_DIRECT")?;
    keeper.show("direct", file, json!({"kind": "regular", "access": "rw"}));
    Ok(())
}

fn deleted(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("gone");
    let mut file = create(&path);
    file.write_all(b"abc").unwrap();
    std::fs::remove_file(&path).unwrap();
    keeper.show(
        "deleted",
        file,
        json!({
            "kind": "regular", "path": path, "deleted": true, "name": format!("{path} (deleted, 3)"),
            "regular": {"size": 3, "links": 0},
        }),
    );
    Ok(())
}

fn without_name(keeper: &mut Keeper) -> Result<(), Skip> {
    let file = needs(open(keeper.path("."), OFlags::TMPFILE | OFlags::RDWR), "O_TMPFILE")?;
    let dir = keeper.path("#");
    keeper.show(
        "tmpfile",
        file,
        json!({"kind": "regular", "deleted": true, "path": {"$holds": dir}, "regular": {"links": 0}}),
    );
    Ok(())
}

/// The name that it was opened by is gone, another is left.
fn one_name_left(keeper: &mut Keeper) -> Result<(), Skip> {
    let (first, second) = (keeper.path("first"), keeper.path("second"));
    let file = create(&first);
    needs(std::fs::hard_link(&first, second), "hard links")?;
    std::fs::remove_file(&first).unwrap();
    let name = format!("{first} (deleted, 0, 1 name left)");
    let expected = json!({"deleted": true, "path": first, "name": name, "regular": {"links": 1}});
    keeper.show("one name left", file, expected);
    Ok(())
}

/// The kernel's mark of a deleted file is also a fine end of a name.
fn called_deleted(keeper: &mut Keeper) -> Result<(), Skip> {
    let there = keeper.path("there (deleted)");
    let file = create(&there);
    keeper.show("there", file, json!({"deleted": false, "path": there, "name": there}));
    let linked = keeper.path("linked (deleted)");
    let file = create(&linked);
    std::fs::hard_link(&linked, keeper.path("other")).unwrap();
    keeper.show("linked", file, json!({"deleted": false, "path": linked, "regular": {"links": 2}}));
    let gone = keeper.path("gone (deleted)");
    let file = create(&gone);
    std::fs::remove_file(&gone).unwrap();
    keeper.show("gone", file, json!({"deleted": true, "path": gone}));
    Ok(())
}

fn strange_names(keeper: &mut Keeper) -> Result<(), Skip> {
    let names: &[(&[u8], &str)] = &[
        (b"two\nlines", "two\nlines"),
        (b"bell\x07escape\x1b[31m", "bell\x07escape\x1b[31m"),
        (b"bad\xff\xfeutf8", r"bad\xff\xfeutf8"),
        (br"back\xff", r"back\\xff"),
        ("\u{202e}drow".as_bytes(), "\u{202e}drow"),
        (b" blanks ", " blanks "),
    ];
    for (bytes, shown) in names {
        let file = create(keeper.dir.join(OsString::from_vec(bytes.to_vec())));
        let path = keeper.path(shown);
        keeper.show(shown, file, json!({"kind": "regular", "path": path, "name": path}));
    }
    Ok(())
}

fn flock(keeper: &mut Keeper) -> Result<(), Skip> {
    let file = create(keeper.path("flock"));
    rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
    let lock = json!({"type": "flock", "mode": "write", "start": 0, "end": null});
    let name = format!("{} (flock write lock)", keeper.path("flock"));
    keeper.show("flock", file, json!({"name": name, "regular": {"locks": [lock]}}));
    let file = create(keeper.path("shared"));
    rustix::fs::flock(&file, FlockOperation::LockShared).unwrap();
    let lock = json!({"type": "flock", "mode": "read", "start": 0, "end": null});
    keeper.show("shared", file, json!({"regular": {"locks": [lock]}}));
    Ok(())
}

fn record_lock(
    file: &File,
    command: libc::c_int,
    kind: libc::c_int,
    start: i64,
    len: i64,
) -> rustix::io::Result<()> {
    let lock = libc::flock {
        l_type: kind as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: start,
        l_len: len,
        l_pid: 0,
    };
    let arguments = [file.as_raw_fd() as usize, command as usize, &raw const lock as usize, 0, 0, 0];
    call(libc::SYS_fcntl, arguments).map(drop).map_err(|e| rustix::io::Errno::from_io_error(&e).unwrap())
}

fn posix_lock(keeper: &mut Keeper) -> Result<(), Skip> {
    let file = create(keeper.path("posix"));
    record_lock(&file, libc::F_SETLK, libc::F_WRLCK, 10, 20).unwrap();
    record_lock(&file, libc::F_SETLK, libc::F_WRLCK, 100, 0).unwrap();
    let lock = |start, end| json!({"type": "posix", "mode": "write", "start": start, "end": end});
    let locks = json!({"$set": [lock(10, Some(29)), lock(100, None::<u64>)]});
    keeper.show("posix", file, json!({"regular": {"locks": locks}}));
    Ok(())
}

fn ofd_lock(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("ofd");
    let (file, other) = (create(&path), File::open(&path).unwrap());
    record_lock(&file, libc::F_OFD_SETLK, libc::F_WRLCK, 0, 8).unwrap();
    let lock = json!({"type": "ofd", "mode": "write", "start": 0, "end": 7});
    keeper.show("ofd", file, json!({"regular": {"locks": [lock]}}));
    // The lock is of the description, not of the file.
    keeper.show("other", other, json!({"regular": {"locks": []}}));
    Ok(())
}

fn lease(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("lease");
    drop(create(&path));
    let file = File::open(&path).unwrap();
    let arguments = [file.as_raw_fd() as usize, libc::F_SETLEASE as usize, libc::F_RDLCK as usize, 0, 0, 0];
    needs(call(libc::SYS_fcntl, arguments), "F_SETLEASE")?;
    let expected = json!({
        "name": format!("{path} (read lease)"),
        "regular": {"locks": [{"type": "lease", "mode": "read"}]},
    });
    keeper.show("lease", file, expected);
    Ok(())
}

fn directory(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("dir");
    std::fs::create_dir(&path).unwrap();
    let dir = open(&path, OFlags::DIRECTORY).unwrap();
    keeper.show("there", dir, json!({"kind": "directory", "name": path, "path": path, "deleted": false}));
    let path = keeper.path("gone");
    std::fs::create_dir(&path).unwrap();
    let dir = open(&path, OFlags::DIRECTORY | OFlags::CLOEXEC).unwrap();
    std::fs::remove_dir(&path).unwrap();
    let name = format!("{path} (deleted)");
    keeper.show("gone", dir, json!({"kind": "directory", "name": name, "path": path, "deleted": true}));
    Ok(())
}

fn character_device(keeper: &mut Keeper) -> Result<(), Skip> {
    let null = open("/dev/null", OFlags::RDWR).unwrap();
    let expected = json!({
        "kind": "char", "name": "/dev/null", "path": "/dev/null",
        "char": {"device": "1:3", "driver": "mem"},
    });
    keeper.show("null", null, expected);
    Ok(())
}

/// A device by another name says what it really is.
fn node_elsewhere(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("node");
    let device = rustix::fs::makedev(1, 5);
    let made = rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::CharacterDevice, Mode::RUSR, device);
    needs(made, "CAP_MKNOD")?;
    let node = needs(open(&path, OFlags::RDONLY), "a filesystem with devices")?;
    let expected = json!({"kind": "char", "name": format!("{path} (mem 1:5)"), "char": {"device": "1:5"}});
    keeper.show("node", node, expected);
    Ok(())
}

fn block_device(keeper: &mut Keeper) -> Result<(), Skip> {
    let disks = needs(std::fs::read_dir("/sys/class/block"), "/sys/class/block")?;
    let node = |name: &String| open(format!("/dev/{name}"), OFlags::PATH);
    let names = disks.map(|d| d.unwrap().file_name().into_string().unwrap());
    let Some((name, disk)) = names.filter_map(|n| Some((node(&n).ok()?, n))).next().map(|(d, n)| (n, d))
    else {
        return Err(Skip("there is no block device in /dev".to_owned()));
    };
    let numbers = std::fs::read_to_string(format!("/sys/class/block/{name}/dev")).unwrap();
    let expected = json!({
        "kind": "block", "path": format!("/dev/{name}"),
        "block": {"device": numbers.trim_end(), "disk": name},
    });
    keeper.show("disk", disk, expected);
    Ok(())
}

fn path_only(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("file");
    drop(create(&path));
    let file = open(&path, OFlags::PATH).unwrap();
    keeper.show("file", file, json!({"kind": "regular", "access": "path", "path": path}));
    let dir = open("/", OFlags::PATH | OFlags::DIRECTORY).unwrap();
    keeper.show("dir", dir, json!({"kind": "directory", "access": "path", "path": "/"}));
    Ok(())
}

fn symlink(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("link");
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let link = open(&path, OFlags::PATH | OFlags::NOFOLLOW).unwrap();
    keeper.show("link", link, json!({"kind": "symlink", "access": "path", "name": path, "deleted": false}));
    Ok(())
}
