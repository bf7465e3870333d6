//! What goes wrong: processes that are not there or may not be read, output that goes nowhere.

use crate::exhibits::listed;
use crate::support::{
    FakeProc, Fdscope, Helper, Keeper, NOBODY, Skip, capable, difference, needs, numbers, run_as, run_without,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::process::Command;

listed! { "bad_input": many }

/// Far more fds than one read of a directory gives.
const MANY: u64 = 15_000;

fn many(keeper: &mut Keeper) -> Result<(), Skip> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    needs(setrlimit(Resource::RLIMIT_NOFILE, hard, hard), "setrlimit")?;
    if hard < MANY + 100 {
        return Err(Skip(format!("the hard nofile limit is {hard}")));
    }
    let file = File::open("/dev/null").unwrap();
    for _ in 0..MANY {
        keeper.keep(file.as_fd().try_clone_to_owned().unwrap());
    }
    // One far away, behind a gap.
    keeper.keep(rustix::io::fcntl_dupfd_cloexec(&file, hard as i32 - 1).unwrap());
    Ok(())
}

#[test]
fn a_large_fd_table() {
    let helper = Helper::start("bad_input::many");
    if helper.was_skipped() {
        return;
    }
    let expected = numbers(helper.pid());
    let fds = |arguments: &str| -> Vec<i64> {
        let lines = helper.list(&format!("{arguments} --columns fd --format tsv --no-header")).ok().lines();
        lines.iter().map(|l| l.parse().unwrap()).collect()
    };
    assert!(expected.len() as u64 > MANY);
    assert_eq!(fds(""), expected, "each once, and in order");
    assert_eq!(fds("--fd 4000-4010"), (4000..=4010).collect::<Vec<_>>());
    assert_eq!(
        helper.list("--count --kind char").records()[0]["count"].as_u64(),
        Some(expected.len() as u64 - 3)
    );
    let table = helper.list("").ok().lines();
    assert_eq!(table.len(), expected.len() + 1);
    assert_eq!(helper.list("").records().len(), expected.len());
}

/// A pid that nobody has: one that just ended and was reaped, whose number comes back last.
fn free_pid() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn a_pid_that_does_not_exist() {
    let pid = free_pid();
    let run = Fdscope::new(format!("list {pid}")).run();
    run.check(3, &format!("fdscope: {pid}: no process has pid {pid}\n")).prints("");
    // What can be told is told all the same.
    let helper = Helper::start("pipes::pipe");
    let run = helper.list(&format!("{pid} --json")).run();
    assert_eq!(run.check(3, "no process has pid").records().len(), numbers(helper.pid()).len());
    Fdscope::new(format!("limits {pid}")).run().check(3, "no process has pid");
}

/// A made-up process that is there, and of which nothing more can be read.
#[test]
fn a_process_that_ends_while_it_is_read() {
    let fake = FakeProc::new();
    fake.process(77, b"fleeting");
    fake.process(78, b"lasting").fd(0, "pidfd:[1]", "flags:\t02\n");
    std::fs::remove_dir_all(fake.path().join("77/fd")).unwrap();
    let run = fake.fdscope("list 77").run();
    run.check(3, "process 77 (fleeting) ended while it was read").prints("");
    // Nobody named it: that is normal.
    let document = fake.fdscope("list --json").ok().json();
    let expected = json!({"complete": true, "vanished": 1, "records": [{"pid": 78}]});
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new());
    std::fs::remove_file(fake.path().join("77/comm")).unwrap();
    fake.fdscope("list 77").run().check(3, "process 77 ended while it was read");
}

#[test]
fn a_zombie_holds_nothing() {
    let mut helper = Helper::start("pipes::pipe");
    helper.kill();
    let run = helper.list("--json").run();
    assert_eq!(run.check(1, "is a zombie").records(), [] as [Value; 0]);
    helper.list("--json --quiet").run().check(1, "");
    // Its limits can still be told.
    Fdscope::new(format!("limits {}", helper.pid())).ok();
}

#[test]
fn a_kernel_thread_holds_nothing() {
    let stat = std::fs::read_to_string("/proc/2/stat").unwrap_or_default();
    if !stat.starts_with("2 (kthreadd)") || rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: kernel threads, because pid 2 is none, or we may not read it");
        return;
    }
    let document = Fdscope::new("list 2 --json --assoc --quiet").ok().json();
    let records = document["records"].as_array().unwrap();
    assert!(records.iter().all(|r| r["assoc"] != "fd" && r["assoc"] != "exe"), "{records:?}");
    Fdscope::new("list 2").run().check(1, "process 2 (kthreadd) is a kernel thread").prints("");
}

/// As a user who may read almost nothing.
#[test]
fn processes_of_others() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: processes of others, because only root can become another user");
        return;
    }
    let helper = Helper::start("pipes::pipe");
    let fdscope = |arguments: String| Fdscope::new(arguments).with(|c| run_as(c, NOBODY));
    let run = fdscope(format!("list {}", helper.pid())).run();
    run.check(3, &format!("the fds of process {} (", helper.pid())).prints("");
    run.check(3, "may not be read: permission denied");
    let run = fdscope(format!("list {} --json", helper.pid())).run();
    let expected = json!({"complete": false, "denied": 1, "records": []});
    assert_eq!(difference(&expected, Some(&run.check(3, "may not be read").json())), Vec::<String>::new());

    let own = Helper::start_with("events::eventfd_kinds", |c| run_as(c, NOBODY));
    let run = fdscope("list --json".to_owned()).run();
    let document = run.check(0, "could not be read: permission denied").json();
    assert_eq!(document["complete"], false);
    assert!(document["denied"].as_u64() >= Some(2), "the helper, and we");
    let records = document["records"].as_array().unwrap();
    assert_eq!(records.iter().filter(|r| r["pid"] == own.pid()).count(), numbers(own.pid()).len());
    assert!(records.iter().all(|r| r["pid"] != helper.pid()));
    let quiet = fdscope("list --json --quiet".to_owned()).run();
    quiet.check(0, "");
}

/// Where the directory may be read and the links may not, each fd is a row that says so.
#[test]
fn fds_that_cannot_be_read_are_rows() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: unreadable links, because only root can become another user");
        return;
    }
    let fake = FakeProc::new();
    fake.process(77, b"closed").fd(3, "pidfd:[1]", "flags:\t02\n");
    let fds = fake.path().join("77/fd");
    std::fs::set_permissions(fake.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Names without the right to search: they can be listed and not followed.
    std::fs::set_permissions(&fds, std::os::unix::fs::PermissionsExt::from_mode(0o744)).unwrap();
    let fdscope = |arguments: &str| fake.fdscope(arguments).with(|c| run_as(c, NOBODY));
    let run = fdscope("list --json").run();
    let expected = json!({
        "complete": false, "denied": 1,
        "records": [{"fd": 3, "kind": "error", "name": "readlink: permission denied (EACCES)",
            "error": {"call": "readlink", "errno": "EACCES"}, "flags": {"$absent": true}}],
    });
    let document = run.check(0, "1 fd could not be read: permission denied").json();
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new());
    fdscope("list 77").run().check(3, "no fd of process 77 (closed) can be read");
    fdscope("list --kind error --pids --quiet").run().check(0, "").prints("77\n");
    fdscope("list --kind pipe --quiet").run().check(1, "").prints("");
}

/// A process whose fds can be listed and not read: that nothing matched is not known, whatever is asked for.
#[test]
fn a_filter_hides_no_denial() {
    const SYS_PTRACE: u32 = 19;
    let is_root = rustix::process::geteuid().as_raw() == 0;
    if !is_root || !capable(8) || !capable(SYS_PTRACE) {
        eprintln!("skipped: unreadable links, because that takes root with CAP_SETPCAP and CAP_SYS_PTRACE");
        return;
    }
    let (helper, other) = (
        Helper::start("pipes::pipe"),
        Helper::start_with("pipes::pipe", |c| run_without(c, SYS_PTRACE.into())),
    );
    let (pid, count) = (helper.pid(), numbers(helper.pid()).len());
    let run = |arguments: &str| {
        let words = Fdscope::new(arguments);
        words.with(|c| run_without(c, SYS_PTRACE.into())).run()
    };
    run(&format!("list {pid} --pids")).check(3, &format!("no fd of process {pid} (helper) can be read\n"));
    let told = |count: usize| {
        let of = format!("of the things that process {pid} (helper) holds");
        format!("fdscope: {count} {of} could not be read: permission denied\n")
    };
    for filter in [
        "-k pipe",
        "-k pipe --count",
        "--pids -k tcp",
        "--port 1",
        "--deleted",
        "--path /proc",
        "-w kind=='pipe'",
        "-q -k tcp",
    ] {
        let run = run(&format!("list {pid} {filter}"));
        // Working directory, root and program are looked at for these, too.
        let more = if filter.starts_with("--deleted") || filter.starts_with("--path") { 3 } else { 0 };
        run.check(3, &told(count + more)).prints("");
    }
    let document = run(&format!("list {pid} -k pipe --json")).check(3, &told(count)).json();
    let expected = json!({"complete": false, "denied": count, "records": []});
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new());
    // Another one may be read, and its rows are there.
    let both = run(&format!("list {pid} {} -k pipe --pids", other.pid()));
    both.check(3, &told(count)).prints(&format!("{}\n", other.pid()));
    run(&format!("list {} -k pipe --pids", other.pid())).check(0, "").prints(&format!("{}\n", other.pid()));
    run(&format!("list {} -k tcp", other.pid())).check(1, "").prints("");
    let told = format!("fdscope: the fds of process {pid} cannot be read: Permission denied");
    run(&format!("sockets --process {pid} -q")).check(3, &told);
    run(&format!("sockets --process {pid}:0 -q")).check(3, &told);
    run(&format!("sockets --process {} -q", other.pid())).check(1, "");
}

#[test]
fn output_into_a_closed_pipe_ends_quietly() {
    let helper = Helper::start("files::strange_names");
    for arguments in
        ["", "--json", "--jsonl", "--format tsv", "--count", "--pids", "--columns help", "--help"]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        helper.list(arguments).stdout(writer).run().check(0, "");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Fdscope::new("limits self").stdout(writer).run().check(0, "");
}

#[test]
fn output_into_a_full_disk_is_an_error() {
    let helper = Helper::start("files::strange_names");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for arguments in ["", "--json", "--jsonl", "--format tsv", "--count", "--pids", "--columns help"] {
        let run = helper.list(arguments).stdout(full()).run();
        run.check(2, "fdscope: cannot write the output: No space left on device");
    }
    for arguments in ["limits self", "limits --system --quiet"] {
        let run = Fdscope::new(arguments).stdout(full()).run();
        run.check(2, "fdscope: cannot write the output: No space left on device");
    }
}

/// Looking leaves no trace: no offset moves, and nothing is read from pipes.
#[test]
fn looking_changes_nothing() {
    let helper = Helper::start("pipes::pipe");
    let before = helper.list("--fd 3-").records();
    for arguments in ["--wide", "--json --mappings --assoc --threads", "--where epoll.stale>0", "--count"] {
        helper.list(arguments).run();
    }
    assert_eq!(helper.list("--fd 3-").records(), before);
}

#[test]
fn arguments_that_make_no_sense() {
    for arguments in
        ["", "nonsense", "list --nonsense", "list --format xml", "list --json --jsonl", "limits --top 3"]
    {
        let run = Fdscope::new(arguments).run();
        assert_eq!(run.status(), 2, "{arguments}: {}", run.stderr());
        assert!(!run.stderr().is_empty() && run.stdout().is_empty(), "{arguments}");
    }
    Fdscope::new("--version").ok().prints(concat!("fdscope ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = Fdscope::new("list --help").ok().stdout();
    assert_eq!(Fdscope::new("ls --help").ok().lines().len(), long.lines().count());
}
