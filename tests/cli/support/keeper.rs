//! What a helper process holds, and what it knows of it from asking the kernel itself.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fd::{AsFd, AsRawFd as _};
use rustix::fs::OFlags;
use serde_json::{Value, json};
use std::any::Any;
use std::fmt::Display;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// Why an exhibit cannot be made here.
pub(crate) struct Skip(pub(crate) String);

/// The result, or the reason to skip what needs it.
pub(crate) fn needs<T, E: Display>(result: Result<T, E>, what: &str) -> Result<T, Skip> {
    result.map_err(|e| Skip(format!("{what}: {e}")))
}

/// Moves the process to a network of its own.
pub(crate) fn own_network() -> Result<(), Skip> {
    own_namespace(CloneFlags::CLONE_NEWNET, "a network namespace (CAP_SYS_ADMIN)")
}

/// Moves the process to a mount namespace of its own, from which nothing spreads.
pub(crate) fn own_mounts() -> Result<(), Skip> {
    own_namespace(CloneFlags::CLONE_NEWNS, "a mount namespace (CAP_SYS_ADMIN)")?;
    let none = None::<&str>;
    needs(mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none), "private mounts")
}

/// Tests run on a thread that is not the process's first, and namespaces are a thread's own: so
/// this thread moves, and runs the program once more, which makes it the first one.
fn own_namespace(flags: CloneFlags, what: &str) -> Result<(), Skip> {
    const MOVED: &str = "FDSCOPE_TEST_MOVED";
    if std::env::var_os(MOVED).is_some() {
        return Ok(());
    }
    needs(unshare(flags), what)?;
    let program = std::env::current_exe().expect("our own path");
    let error = Command::new(program).args(std::env::args_os().skip(1)).env(MOVED, "").exec();
    panic!("cannot run again: {error}");
}

/// Whether we have a capability, by its number in capabilities(7).
pub(crate) fn capable(capability: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let mask = status.lines().find_map(|l| l.strip_prefix("CapEff:")).expect("a line CapEff");
    u64::from_str_radix(mask.trim(), 16).expect("a mask") >> capability & 1 == 1
}

/// The fds of a process, by the numbers of its directory.
pub(crate) fn numbers(pid: u32) -> Vec<i64> {
    let names = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its fds");
    let number = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().to_str()?.parse().ok();
    super::sorted(names.filter_map(number))
}

/// Holds everything until the process ends.
pub(crate) struct Keeper {
    /// Its directory.
    pub(crate) dir: PathBuf,
    pub(crate) facts: Vec<Value>,
    pub(crate) told: Value,
    kept: Vec<Box<dyn Any>>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        let dir = std::env::current_dir().expect("our directory");
        Self { dir, facts: Vec::new(), told: json!({}), kept: Vec::new() }
    }

    /// A path in its directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.join(name).into_os_string().into_string().expect("temporary directories are UTF-8")
    }

    /// Keeps a thing that is an fd, and expects this of its record, beside what all fds have.
    pub(crate) fn show<T: AsFd + Any>(&mut self, name: &str, thing: T, expected: Value) {
        let mut fact = common(&thing);
        let object = fact.as_object_mut().expect("made as one");
        object.insert("$name".to_owned(), name.into());
        for (key, value) in expected.as_object().expect("expectations are objects") {
            object.insert(key.clone(), value.clone());
        }
        self.facts.push(fact);
        self.keep(thing);
    }

    /// Keeps a thing that nobody is shown.
    pub(crate) fn keep<T: Any>(&mut self, thing: T) {
        self.kept.push(Box::new(thing));
    }
}

/// What every fd has, asked of the kernel by other calls than fdscope's.
fn common(fd: &impl AsFd) -> Value {
    let stat = rustix::fs::fstat(fd).expect("fstat");
    let flags = rustix::fs::fcntl_getfl(fd).expect("F_GETFL");
    let cloexec = rustix::io::fcntl_getfd(fd).expect("F_GETFD").contains(rustix::io::FdFlags::CLOEXEC);
    let access = match flags & OFlags::ACCMODE {
        _ if flags.contains(OFlags::PATH) => "path",
        OFlags::RDONLY => "r",
        OFlags::WRONLY => "w",
        _ => "rw",
    };
    let mut value = json!({
        "pid": std::process::id(),
        "fd": fd.as_fd().as_raw_fd(),
        "assoc": "fd",
        "access": access,
        "flags": {"$set": names(flags, cloexec)},
        "inode": stat.st_ino,
        "device": format!("{}:{}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)),
    });
    // What cannot seek has no position to compare.
    if let Ok(pos) = rustix::fs::tell(fd) {
        value["pos"] = pos.into();
    }
    value
}

/// The names of flags other than the access mode.
fn names(flags: OFlags, cloexec: bool) -> Vec<&'static str> {
    const NAMES: &[(i32, &str)] = &[
        (libc::O_APPEND, "append"),
        (libc::O_NONBLOCK, "nonblock"),
        (libc::O_ASYNC, "async"),
        (libc::O_DIRECT, "direct"),
        (libc::O_DIRECTORY, "directory"),
        (libc::O_NOFOLLOW, "nofollow"),
        (libc::O_NOATIME, "noatime"),
        (libc::O_PATH, "path"),
    ];
    let bits = flags.bits() as i32;
    let tmpfile = flags.contains(OFlags::TMPFILE);
    let mut names: Vec<&str> = NAMES
        .iter()
        .filter(|(bit, name)| bits & bit != 0 && !(tmpfile && *name == "directory"))
        .map(|(_, name)| *name)
        .collect();
    names.extend(tmpfile.then_some("tmpfile"));
    match bits & libc::O_SYNC {
        libc::O_SYNC => names.push("sync"),
        libc::O_DSYNC => names.push("dsync"),
        _ => {}
    }
    // The C library of 64-bit x86 calls it 0; the kernel does not.
    names.extend((cfg!(target_arch = "x86_64") && bits & 0o100_000 != 0).then_some("largefile"));
    names.extend(cloexec.then_some("cloexec"));
    names
}
