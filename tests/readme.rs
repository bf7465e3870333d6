//! The examples of README.md do what they say: every `sh` block is run, against processes and
//! files that are made for it. Blocks marked otherwise (`sh build`, `console`) are not.

#![allow(unsafe_code)]

use regex::Regex;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What becomes of `--timeout 1min`.
const AT_ONCE: &str = "--timeout 50ms";

/// Where a block starts, and its text.
type Block = (usize, String);

#[test]
fn examples_work() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = blocks(&text);
    assert!(blocks.len() > 5, "README.md has lost its examples");
    let mut scene = Scene::new();
    for (line, block) in &blocks {
        if (block.contains("pipe.queued") || block.contains("fdscope loops")) && !may_borrow() {
            eprintln!(
                "skipped: README.md:{line} because Yama lets nobody borrow fds (kernel.yama.ptrace_scope)"
            );
            continue;
        }
        let block = scene.set(block);
        let output = Command::new("sh")
            .args(["-euc", &block])
            .env("PATH", path())
            .current_dir(&scene.folder)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        // What goes on until its time is over says so.
        let over = block.contains(AT_ONCE) && output.status.code() == Some(124);
        assert!(output.status.success() || over, "README.md:{line}: {}\n{block}\n{told}", output.status);
        assert!(!output.stdout.is_empty(), "README.md:{line}: it shows nothing\n{block}\n{told}");
    }
    assert_eq!(scene.victim.wait().unwrap().signal(), Some(libc::SIGTERM), "kill did not reach its process");
    assert!(scene.server.try_wait().unwrap().is_none(), "an example killed the wrong process");
}

/// Whether fdscope may ask about the pipe that this process holds. Where Yama restricts that to
/// ancestors, a process can allow it to others.
fn may_borrow() -> bool {
    // SAFETY: both calls take numbers alone.
    let root = unsafe {
        libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY);
        libc::geteuid() == 0
    };
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    root || !matches!(scope.trim(), "2" | "3")
}

/// The `sh` blocks.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if line.starts_with("```") {
            let body = lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```");
            let body = body.collect::<Vec<_>>().join("\n");
            if line == "```sh" {
                blocks.push((number, body));
            }
        }
    }
    blocks
}

/// The program first, then everything else.
fn path() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_fdscope")).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&rest))).unwrap()
}

/// What the examples are about, in place of the ports, paths and pids that README.md names.
struct Scene {
    folder: PathBuf,
    /// Holds a listener, a log whose name is gone, and a large deleted file.
    server: Child,
    /// Holds another listener, and is to be killed.
    victim: Child,
    names: Vec<(&'static str, String)>,
    /// A file on the mount, a stale epoll set with the ends of a full pipe, and a pipe without a writer.
    _held: (File, OwnedFd, OwnedFd, OwnedFd, std::io::PipeReader),
}

impl Scene {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("fdscope-readme-{}", std::process::id()));
        let mount = folder.join("usb");
        fs::create_dir_all(&mount).unwrap();
        let (served, port) = listener();
        let (other, other_port) = listener();
        let log = folder.join("app.log");
        let (log_file, cache) = (File::create(&log).unwrap(), File::create(folder.join("cache")).unwrap());
        cache.set_len(200 << 20).unwrap();
        fs::remove_file(&log).unwrap();
        fs::remove_file(folder.join("cache")).unwrap();
        let sleep = |stdin: OwnedFd, stdout: Stdio, stderr: Stdio| {
            // One fd is a duplicate that any program inherits.
            let mut shell = Command::new("sh");
            shell.args(["-c", "exec sleep 600 7>&1"]);
            shell.stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap()
        };
        let server = sleep(served.into(), log_file.into(), cache.into());
        let victim = sleep(other.into(), Stdio::null(), Stdio::null());
        let names = vec![
            ("8080", port.to_string()),
            ("9000", other_port.to_string()),
            ("8081", free_port().to_string()),
            ("--timeout 1min", AT_ONCE.to_owned()),
            ("--for 10s", "--for 200ms".to_owned()),
            // It has an epoll fd.
            ("5151", std::process::id().to_string()),
            ("4242", server.id().to_string()),
            ("/var/log/app.log", log.display().to_string()),
            ("/mnt/usb", mount.display().to_string()),
        ];
        script(&folder.join("server"), "#!/bin/sh\necho \"$@\"\n");
        let busy = File::create(mount.join("busy")).unwrap();
        let (epoll, read, write) = stale_epoll_and_full_pipe();
        let (unwritten, _) = std::io::pipe().unwrap();
        Self { folder, server, victim, names, _held: (busy, epoll, read, write, unwritten) }
    }

    /// The block, with names that are true here.
    fn set(&self, block: &str) -> String {
        // In one go: what is put in may look like another name.
        let names: Vec<String> = self.names.iter().map(|(name, _)| regex::escape(name)).collect();
        let any = Regex::new(&names.join("|")).unwrap();
        let real = |found: &regex::Captures<'_>| {
            let named = self.names.iter().find(|(name, _)| *name == &found[0]);
            named.map(|(_, real)| real.clone()).unwrap_or_default()
        };
        any.replace_all(block, real).into_owned()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for child in [&mut self.server, &mut self.victim] {
            drop(child.kill());
            drop(child.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A program that is there for an example to start.
fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A port that is free now. It is below those that the kernel gives to whoever asks for any, so
/// that nobody gets it by chance meanwhile.
fn free_port() -> u16 {
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    let mut ports = first..first + 1000;
    ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("no port is free")
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// An epoll fd with a registration whose number is closed, while the description lives on in the
/// second fd; that one and the third are the ends of a pipe that is full.
fn stale_epoll_and_full_pipe() -> (OwnedFd, OwnedFd, OwnedFd) {
    let (read, write) = std::io::pipe().unwrap();
    let (read, write) = (OwnedFd::from(read), OwnedFd::from(write));
    let twin = read.try_clone().unwrap();
    // SAFETY: these calls take numbers, and a struct that outlives the call; the fd that the
    // first returns is nobody else's.
    let epoll = unsafe {
        let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        assert!(epoll >= 0);
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 1 };
        assert_eq!(libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, read.as_raw_fd(), &raw mut event), 0);
        let size = libc::fcntl(write.as_raw_fd(), libc::F_GETPIPE_SZ);
        let bytes = vec![0u8; size as usize];
        assert_eq!(libc::write(write.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()), size as isize);
        OwnedFd::from_raw_fd(epoll)
    };
    drop(read);
    (epoll, twin, write)
}
