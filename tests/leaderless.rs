//! A process whose main thread has ended while another goes on.

#![allow(unsafe_code)]

use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// Forks a process of which a second thread alone goes on, until the other end of `held` closes.
fn leaderless(held: &std::io::PipeReader, ours: &std::io::PipeWriter) -> libc::pid_t {
    // SAFETY: the C library makes its allocator usable after fork(2); the child uses no more than
    // that, a new thread, and system calls on fds that it inherited.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "{}", std::io::Error::last_os_error());
        if pid == 0 {
            libc::close(ours.as_raw_fd());
            let held = held.as_raw_fd();
            std::thread::spawn(move || {
                libc::read(held, [0u8].as_mut_ptr().cast(), 1);
                libc::_exit(0);
            });
            libc::syscall(libc::SYS_exit, 0);
        }
        pid
    }
}

#[test]
fn its_fds_are_counted_and_compared() {
    let (held, ours) = std::io::pipe().unwrap();
    // Behind the fds that are looked at first.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let behind = rustix::io::fcntl_dupfd_cloexec(&listener, 100).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let child = leaderless(&held, &ours);
    let pid = child.to_string();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat[stat.rfind(')').unwrap() + 2..].chars().next()
    };
    let start = Instant::now();
    while state() != Some('Z') {
        assert!(start.elapsed() < Duration::from_secs(60), "the main thread does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    let lines = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_fdscope");
        let output =
            Command::new(program).args(args).args(["--no-header", "--format", "tsv"]).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let listed = lines(&["list", &pid, "--columns", "fd"]);
    let one = format!("{pid}:{}", held.as_raw_fd());
    let shared = lines(&["list", &one, "--shared", "--quiet", "--columns", "pid,fd"]);
    let limits = lines(&["limits", &pid, "--columns", "limit,used"]);
    let threads = lines(&["threads", &pid, "--quiet", "--columns", "state,waits_for"]);
    let owners = lines(&["sockets", "--listening", &format!(":{port}"), "--quiet", "--columns", "owners"]);
    let at_port = lines(&["list", &pid, "--port", &port, "--columns", "fd,kind"]);
    let none =
        Command::new(env!("CARGO_BIN_EXE_fdscope")).args(["list", &pid, "--kind", "epoll"]).output().unwrap();
    drop(ours);
    // SAFETY: waits for a child of ours, whose status nobody asks for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    assert!(listed.iter().any(|fd| fd == "0"), "{listed:?}");
    assert_eq!(threads[0], "zombie\tended");
    let reads = format!("sleeping\tread on {} (pipe read end of ", held.as_raw_fd());
    assert!(threads[1].starts_with(&reads), "{threads:?}");
    let (held, own) = (held.as_raw_fd(), std::process::id());
    let behind = behind.as_raw_fd();
    let owner =
        owners[0].split(',').any(|o| o.starts_with(&format!("{pid}/")) && o.ends_with(&format!(":{behind}")));
    assert!(owner, "{owners:?}");
    let listeners = [listener.as_raw_fd(), behind].map(|fd| format!("{fd}\ttcp"));
    assert_eq!(at_port, listeners);
    let told = String::from_utf8_lossy(&none.stderr);
    assert!(none.status.code() == Some(1) && !told.contains("zombie"), "{none:?}");
    assert_eq!(shared, [format!("{pid}\t{held}"), format!("{own}\t{held}")]);
    if std::fs::metadata("/proc/self/fd").is_ok_and(|fds| std::os::unix::fs::MetadataExt::size(&fds) == 0) {
        eprintln!("skipped: the count of fds, because this kernel does not give it without a list");
        return;
    }
    assert_eq!(limits[0], format!("nofile\t{}", listed.len()));
}
