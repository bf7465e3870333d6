//! A process whose main thread has ended while another goes on.

#![allow(unsafe_code)]

use std::io::{BufRead as _, BufReader};
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one test has open, the process that another one forks would have, too.
static ALONE: Mutex<()> = Mutex::new(());

/// Forks a process of which a second thread alone goes on, until the other end of `held` closes: then it
/// ends so. Gives it once its first thread has ended.
fn leaderless(
    held: &std::io::PipeReader,
    ours: &std::io::PipeWriter,
    end: impl FnOnce() + Send + 'static,
) -> libc::pid_t {
    // SAFETY: the C library makes its allocator usable after fork(2); the child uses no more than
    // that, a new thread, and system calls on fds that it inherited.
    let pid = unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "{}", std::io::Error::last_os_error());
        if pid == 0 {
            libc::close(ours.as_raw_fd());
            // Where Yama restricts tracing to parents, fdscope is none.
            libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY, 0, 0, 0);
            let held = held.as_raw_fd();
            std::thread::spawn(move || {
                libc::read(held, [0u8].as_mut_ptr().cast(), 1);
                end();
                libc::_exit(0);
            });
            libc::syscall(libc::SYS_exit, 0);
        }
        pid
    };
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat[stat.rfind(')').unwrap() + 2..].chars().next()
    };
    let start = Instant::now();
    while state() != Some('Z') {
        assert!(start.elapsed() < Duration::from_secs(60), "the main thread does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    pid
}

/// Waits for its end.
fn wait(child: libc::pid_t) {
    // SAFETY: waits for a child of ours, whose status nobody asks for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

#[test]
fn its_fds_are_counted_and_compared() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, ours) = std::io::pipe().unwrap();
    // Behind the fds that are looked at first.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let behind = rustix::io::fcntl_dupfd_cloexec(&listener, 100).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let child = leaderless(&held, &ours, || {});
    let pid = child.to_string();
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
    wait(child);
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

/// The second thread runs another program, and is the first one then: its fds are looked at still.
#[test]
fn another_program_in_its_place() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, ours) = std::io::pipe().unwrap();
    let epoll = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).unwrap();
    // SAFETY: the texts end with zeros, and the list of arguments with a null pointer.
    let exec = || unsafe {
        libc::execlp(c"sleep".as_ptr(), c"sleep".as_ptr(), c"20".as_ptr(), std::ptr::null::<libc::c_char>());
    };
    let child = leaderless(&held, &ours, exec);
    let mut watcher = Command::new(env!("CARGO_BIN_EXE_fdscope"))
        .args(["loops", "--watch", "--format", "tsv"])
        .arg(format!("{child}:{}", epoll.as_raw_fd()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(watcher.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut lines =
        lines.map(|line| line.split('\t').next().unwrap().to_owned()).filter(|name| name != "event");
    let first = lines.next();
    drop(ours);
    // Were they not looked at, the end of the program would be next.
    let told: Vec<String> = if first.is_some() { lines.by_ref().take(2).collect() } else { Vec::new() };
    // SAFETY: it is a child of ours, and not waited for yet.
    unsafe { libc::kill(child, libc::SIGKILL) };
    wait(child);
    let rest: Vec<String> = lines.collect();
    let output = watcher.wait_with_output().unwrap();
    let Some(first) = first else {
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("may not be looked at"), "{told}");
        return eprintln!("skipped: the loops of another process, because {told}");
    };
    assert_eq!(
        (first.as_str(), &told[..], &rest[..]),
        ("loop", &["closed", "summary"].map(str::to_owned)[..], &["exited".to_owned()][..])
    );
    assert_eq!(output.status.code(), Some(3));
}
