//! A process whose main thread has ended while another goes on.

#![allow(unsafe_code)]

use serde_json::Value;
use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::fd::AsRawFd as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one test has open, the process that another one forks would have, too.
static ALONE: Mutex<()> = Mutex::new(());

/// Forks a process of which a second thread alone goes on, until the other end of `held` closes: then it
/// ends so. Gives it once its first thread has ended.
fn leaderless(held: &PipeReader, ours: &PipeWriter, end: impl FnOnce() + Send + 'static) -> libc::pid_t {
    let pid = two_threads(&[ours.as_raw_fd()], || {}, after(held, end));
    await_the_end_of_the_first(pid);
    pid
}

/// Does something once the other end of a pipe is closed, which nobody writes to.
fn after(held: &PipeReader, end: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
    let held = held.as_raw_fd();
    move || {
        // SAFETY: what it reads has room for that.
        unsafe { libc::read(held, [0u8].as_mut_ptr().cast(), 1) };
        end();
    }
}

/// Forks a process of two threads, which has some fds no more. Its first thread ends alone, the second one
/// with all.
fn two_threads(without: &[i32], first: impl FnOnce(), second: impl FnOnce() + Send + 'static) -> libc::pid_t {
    // SAFETY: the C library makes its allocator usable after fork(2); the child uses no more than
    // that, a new thread, and system calls on fds that it inherited.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "{}", std::io::Error::last_os_error());
        if pid == 0 {
            without.iter().for_each(|&fd| assert!(libc::close(fd) == 0));
            // Where Yama restricts tracing to parents, fdscope is none.
            libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY, 0, 0, 0);
            std::thread::spawn(move || {
                second();
                libc::_exit(0);
            });
            first();
            libc::syscall(libc::SYS_exit, 0);
        }
        pid
    }
}

fn await_the_end_of_the_first(pid: libc::pid_t) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat[stat.rfind(')').unwrap() + 2..].chars().next()
    };
    let start = Instant::now();
    while state() != Some('Z') {
        assert!(start.elapsed() < Duration::from_secs(60), "the main thread does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs a program that does nothing for long.
fn run_another_program() {
    // SAFETY: the texts end with zeros, and the list of arguments with a null pointer.
    unsafe {
        libc::execlp(c"sleep".as_ptr(), c"sleep".as_ptr(), c"60".as_ptr(), std::ptr::null::<libc::c_char>());
    }
}

/// A process that ends with its test.
struct Forked(libc::pid_t);

impl Drop for Forked {
    fn drop(&mut self) {
        kill(self.0);
    }
}

/// Ends it.
fn kill(child: libc::pid_t) {
    // SAFETY: it is a child of ours, and not waited for yet.
    unsafe { libc::kill(child, libc::SIGKILL) };
    wait(child);
}

/// Waits for its end.
fn wait(child: libc::pid_t) {
    // SAFETY: waits for a child of ours, whose status nobody asks for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

#[test]
fn its_fds_are_counted_and_compared() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, ours) = pipe().unwrap();
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
    let (held, ours) = pipe().unwrap();
    let epoll = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).unwrap();
    let child = leaderless(&held, &ours, run_another_program);
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
    kill(child);
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

/// A watch of fds, event by event.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Begins to watch; nothing where this may not be done here, which is said.
    fn begin(arguments: &str) -> Option<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fdscope"))
            .args(["watch", "--format", "jsonl", "--interval", "1ms", "--timeout", "60s"])
            .args(arguments.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut watch = Self { child, lines };
        let Some(first) = watch.next() else {
            let told = String::from_utf8(watch.child.wait_with_output().unwrap().stderr).unwrap();
            let known = ["may not be watched", "since Linux 6.9"];
            assert!(known.iter().any(|known| told.contains(known)), "{told}");
            eprintln!("skipped: fds of another process, because {told}");
            return None;
        };
        assert_eq!(first["event"], "armed");
        Some(watch)
    }

    fn next(&mut self) -> Option<Value> {
        Some(serde_json::from_str(&self.lines.next()?.unwrap()).unwrap())
    }

    /// The next event: its name, fd, and how many bytes could be read.
    #[track_caller]
    fn expect(&mut self, name: &str, fd: &impl std::os::fd::AsRawFd, bytes: Option<u64>) {
        let event = self.next().expect("an event");
        let told = (event["event"].as_str(), event["fd"].as_i64(), event["readable_bytes"].as_u64());
        assert_eq!(told, (Some(name), Some(fd.as_raw_fd().into()), bytes), "{event}");
    }

    /// The events that are left, without the summary, and the status.
    fn end(mut self) -> (Vec<String>, Option<i32>) {
        let mut rest = Vec::new();
        while let Some(event) = self.next() {
            rest.push(event["event"].as_str().unwrap().to_owned());
        }
        rest.retain(|name| name != "summary");
        (rest, self.child.wait_with_output().unwrap().status.code())
    }
}

/// Whether the fds of a thread can be asked for, `PIDFD_THREAD`.
fn has_fds_of_threads() -> bool {
    // SAFETY: pidfd_open takes no pointers, and what it gives is closed.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, libc::getpid(), libc::O_EXCL);
        fd >= 0 && libc::close(fd as i32) == 0
    }
}

/// What is watched: one that stays open in another program, and one that does not.
struct Watched {
    kept: (PipeReader, PipeWriter),
    closed: (PipeReader, PipeWriter),
}

impl Watched {
    fn new() -> Self {
        Self { kept: pipe().unwrap(), closed: pipe().unwrap() }
    }

    /// Has the one left open. Called in the child.
    fn keep(&self) -> impl FnOnce() + use<> {
        let fd = self.kept.0.as_raw_fd();
        // SAFETY: no pointers.
        move || assert!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } == 0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.kept.1.write_all(bytes).unwrap();
    }

    /// Takes what lies in it.
    fn take(&mut self) {
        assert!(self.kept.0.read(&mut [0; 9]).unwrap() > 0);
    }

    fn targets(&self, child: libc::pid_t) -> String {
        format!("{child}:{},{}", self.kept.0.as_raw_fd(), self.closed.0.as_raw_fd())
    }
}

const WAYS: [&str; 4] = ["epoll", "poll", "select", "mio"];

/// The first thread ends while the fds are watched, and the second one runs another program: for a moment
/// it is so, whenever another thread than the first runs one.
#[test]
fn its_fds_are_watched_still() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !has_fds_of_threads() {
        return eprintln!("skipped: the fds of threads, because this kernel has no PIDFD_THREAD");
    }
    for way in WAYS {
        let mut watched = Watched::new();
        let ((leave, leaves), (run, runs)) = (pipe().unwrap(), pipe().unwrap());
        let (keep, leave_then) = (watched.keep(), after(&leave, || {}));
        let first = || {
            keep();
            leave_then();
        };
        let ours = [leaves.as_raw_fd(), runs.as_raw_fd()];
        let child = Forked(two_threads(&ours, first, after(&run, run_another_program)));
        let Some(mut watch) = Watch::begin(&format!("{} --with {way}", watched.targets(child.0))) else {
            return;
        };
        let shows_clear = way != "mio";
        watched.write(b"x");
        watch.expect("ready", &watched.kept.0, Some(1));
        drop(leaves);
        await_the_end_of_the_first(child.0);
        watched.take();
        if shows_clear {
            watch.expect("clear", &watched.kept.0, None);
        }
        watched.write(b"yz");
        watch.expect("ready", &watched.kept.0, Some(2));
        drop(runs);
        watch.expect("closed", &watched.closed.0, None);
        watched.take();
        if shows_clear {
            watch.expect("clear", &watched.kept.0, None);
        }
        watched.write(b"abc");
        watch.expect("ready", &watched.kept.0, Some(3));
        drop(child);
        assert_eq!(watch.end(), (vec!["exited".to_owned()], Some(3)), "{way}");
    }
}

/// The first thread has ended before, and the second one opens something.
#[test]
fn its_fds_are_watched_and_those_that_it_opens() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for way in WAYS {
        let mut watched = Watched::new();
        let ((open, opens), (run, runs)) = (pipe().unwrap(), pipe().unwrap());
        let (old, new) = (watched.kept.0.as_raw_fd(), 200);
        // SAFETY: no pointers.
        let open = after(&open, move || assert!(unsafe { libc::dup2(old, new) } == new));
        let run = after(&run, run_another_program);
        let second = || {
            open();
            run();
        };
        let child = Forked(two_threads(&[opens.as_raw_fd(), runs.as_raw_fd()], watched.keep(), second));
        await_the_end_of_the_first(child.0);
        let Some(mut watch) = Watch::begin(&format!("{}:all --with {way}", child.0)) else { return };
        // Those of a test that are always ready were told of.
        let mut next = |name: &str, fd: i32| loop {
            let event = watch.next().expect("an event");
            let is_told = event["fd"].as_i64() == Some(fd.into());
            let over = event["event"] == "exited" || event["event"] == "timeout";
            assert!(is_told || !over, "{way}: {name} of {fd} was not told");
            if is_told {
                assert_eq!(event["event"], name, "{way}: {event}");
                return;
            }
        };
        drop(opens);
        next("opened", new);
        drop(runs);
        next("closed", watched.closed.0.as_raw_fd());
        watched.write(b"x");
        next("ready", old);
        drop(child);
        let (rest, status) = watch.end();
        assert_eq!((rest.last().map(String::as_str), status), (Some("exited"), Some(3)), "{way}");
    }
}

/// `listen --watch-only` looks at a listener of its.
#[test]
fn its_listeners_are_looked_at() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, ours) = pipe().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let child = Forked(leaderless(&held, &ours, || {}));
    let target = format!("{}:{}", child.0, listener.as_raw_fd());
    let output = Command::new(env!("CARGO_BIN_EXE_fdscope"))
        .args(["listen", "--watch-only", &target, "--timeout", "1ms", "--format", "jsonl"])
        .output()
        .unwrap();
    let pid = child.0;
    drop(child);
    let told = String::from_utf8(output.stdout).unwrap();
    let first: Value = serde_json::from_str(told.lines().next().unwrap_or("null")).unwrap();
    assert_eq!(first["event"], "listening", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(first["pid"], pid);
    assert_eq!(output.status.code(), Some(124));
}

/// The one end of a pipe is in the common fd table, the other in that of a thread alone.
#[test]
fn other_ends_are_found_in_tables_of_threads() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let ((held, ours), (mut told, tells)) = (pipe().unwrap(), pipe().unwrap());
    let (reader, writer) = pipe().unwrap();
    let [read, write, tell] = [reader.as_raw_fd(), writer.as_raw_fd(), tells.as_raw_fd()];
    let (end, end_all) = (after(&held, || {}), after(&held, || {}));
    let second = move || {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // SAFETY: no pointers.
            assert!(unsafe { libc::unshare(libc::CLONE_FILES) == 0 && libc::close(read) == 0 });
            sender.send(()).unwrap();
            end();
        });
        receiver.recv().unwrap();
        // SAFETY: no pointers but to a byte that is there.
        assert!(unsafe { libc::close(write) == 0 && libc::write(tell, [0u8].as_ptr().cast(), 1) == 1 });
        end_all();
    };
    let child = Forked(two_threads(&[ours.as_raw_fd(), told.as_raw_fd()], || {}, second));
    drop((tells, reader, writer));
    told.read_exact(&mut [0]).unwrap();
    await_the_end_of_the_first(child.0);
    let output = Command::new(env!("CARGO_BIN_EXE_fdscope"))
        .args(["list", &format!("{}:{read},{write}", child.0), "--threads", "--peers", "--quiet"])
        .args(["--no-header", "--format", "tsv", "--columns", "fd,name"])
        .output()
        .unwrap();
    let pid = child.0;
    drop(child);
    let listed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    assert!(output.status.code() == Some(0) && lines.len() == 2, "{lines:?}");
    // A name like `read end of 111272159, empty, from 30815/command 8`.
    for (line, (fd, other)) in lines.into_iter().zip([(read, write), (write, read)]) {
        assert!(line.starts_with(&format!("{fd}\t")) && line.ends_with(&format!(" {other}")), "{line}");
        assert!(line.contains(&format!(" {pid}/")), "{line}");
    }
}

/// Runs a test once more as a user without any privilege, if we are another. Whether that was it.
fn is_run_as_nobody(test: &str) -> bool {
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new(program);
    match again.args(["--exact", test, "--nocapture"]).uid(NOBODY).gid(NOBODY).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(e) => eprintln!("skipped: what its own user sees, because we cannot be that: {e}"),
    }
    true
}

/// The directories of the thread that has ended belong to root.
#[test]
fn its_own_user_sees_its_fds() {
    if is_run_as_nobody("its_own_user_sees_its_fds") {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (held, ours) = pipe().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let child = Forked(leaderless(&held, &ours, || {}));
    let port = format!(":{}", listener.local_addr().unwrap().port());
    let output = Command::new(env!("CARGO_BIN_EXE_fdscope"))
        .args([
            "sockets",
            "--listening",
            &port,
            "--quiet",
            "--no-header",
            "--format",
            "tsv",
            "--columns",
            "owners",
        ])
        .output()
        .unwrap();
    let listed =
        Command::new(env!("CARGO_BIN_EXE_fdscope")).args(["list", &child.0.to_string()]).output().unwrap();
    let owner = format!("{}/", child.0);
    drop(child);
    assert_eq!((listed.status.code(), listed.stderr), (Some(0), Vec::new()));
    let owners = String::from_utf8(output.stdout).unwrap();
    assert!(owners.split(',').any(|one| one.starts_with(&owner)), "{owners}");
}
