//! What TARGET may be.

use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, numbers};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

listed! { "targets": named nothing threaded }

/// Gives the process the name that its environment says, in hexadecimal.
fn named(_: &mut Keeper) -> Result<(), Skip> {
    let name = std::env::var("FDSCOPE_TEST_NAME").expect("a name");
    let bytes: Vec<u8> =
        (0..name.len()).step_by(2).map(|i| u8::from_str_radix(&name[i..i + 2], 16).unwrap()).collect();
    // The process's name is that of its first thread, which runs the test harness.
    std::fs::write("/proc/self/comm", bytes).unwrap();
    Ok(())
}

/// A process that holds nothing special.
fn nothing(_: &mut Keeper) -> Result<(), Skip> {
    Ok(())
}

/// A process with a thread beside its first.
fn threaded(keeper: &mut Keeper) -> Result<(), Skip> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        sender.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        loop {
            std::thread::park();
        }
    });
    keeper.told["tid"] = receiver.recv().unwrap().into();
    Ok(())
}

fn start(name: &[u8]) -> Helper {
    let hex: String = name.iter().map(|b| format!("{b:02x}")).collect();
    Helper::start_with("targets::named", |c: &mut Command| {
        c.env("FDSCOPE_TEST_NAME", hex);
    })
}

/// A name that no other process has, of at most 15 bytes.
fn unique(suffix: &str) -> String {
    format!("{:x}{suffix}", std::process::id())
}

#[test]
fn by_pid() {
    let helper = start(b"by pid");
    let records = helper.list("").records();
    assert!(records.iter().all(|r| r["pid"] == helper.pid() && r["command"] == "by pid"));
    assert_eq!(records.len(), numbers(helper.pid()).len());
}

#[test]
fn by_command_name() {
    let name = unique("twins");
    let (one, two, other) =
        (start(name.as_bytes()), start(name.as_bytes()), start(unique("twinsx").as_bytes()));
    let run = Fdscope::new("list --pids").arg(&name).ok();
    let mut expected = [one.pid(), two.pid()].map(|p| p.to_string()).to_vec();
    expected.sort_by_key(|p| p.parse::<u32>().unwrap());
    assert_eq!(run.lines(), expected);
    assert_ne!(one.pid(), other.pid());
}

/// /proc has a directory for the id of each thread, which it does not list.
#[test]
fn a_thread_is_no_process() {
    let helper = Helper::start("targets::threaded");
    let (tid, pid) = (helper.told["tid"].as_u64().unwrap(), helper.pid());
    let told = format!("{tid} is a thread of process {pid}: name {pid}");
    for command in ["list", "peers", "limits", "loops", "sockets --process", "sockets --netns"] {
        let run = Fdscope::new(format!("{command} {tid}")).run();
        run.check(3, &format!("fdscope: {tid}: {told}\n")).prints("");
    }
    for command in ["loops", "watch", "listen --watch-only"] {
        let run = Fdscope::new(format!("{command} {tid}:3")).run();
        run.check(3, &format!("fdscope: {tid}:3: {told}\n")).prints("");
    }
    let threads = Fdscope::new(format!("threads {tid}")).records();
    assert_eq!((threads.len(), &threads[0]["tid"]), (1, &json!(tid)), "{threads:?}");
}

#[test]
fn several_targets() {
    let (one, two) = (start(b"a"), start(b"b"));
    let records = Fdscope::new(format!("list {} {}:0", one.pid(), two.pid())).records();
    let of = |pid| records.iter().filter(|r| r["pid"] == pid).count();
    assert_eq!((of(one.pid()), of(two.pid())), (numbers(one.pid()).len(), 1));
}

#[test]
fn names_that_would_confuse_a_parser() {
    for name in ["x) S 1 (y", ") (", "two\nlines", "a:b", "tab\tbell\x07", "-dash"] {
        let helper = start(name.as_bytes());
        let target = helper.pid().to_string();
        let records = helper.list("").records();
        assert!(records.iter().all(|r| r["command"] == name), "{name:?}: {:?}", records[0]["command"]);
        // The state of the process is behind the name in its stat.
        Fdscope::new("limits --json").arg(&target).ok();
        let run = Fdscope::new("list --pids --").arg(name).ok();
        assert!(run.lines().contains(&target), "{name:?}: {:?}", run.lines());
    }
}

#[test]
fn a_name_that_is_not_utf8() {
    let helper = start(b"bad\xff\x1b[31m\\");
    let records = helper.list("").records();
    assert!(records.iter().all(|r| r["command"] == "bad\\xff\u{1b}[31m\\\\"), "{:?}", records[0]["command"]);
    let tsv = helper.list("--format tsv --columns command --no-header").ok().stdout();
    assert!(tsv.lines().all(|l| l == r"bad\xff\x1b[31m\\"), "{tsv}");
    // It can be named by its bytes, as tables show it, and as JSON has it.
    for name in [&b"bad\xff\x1b[31m\\"[..], br"bad\xff\x1b[31m\\", b"bad\\xff\x1b[31m\\\\"] {
        for command in ["list --pids", "limits --json", "threads --columns pid"] {
            let run =
                Fdscope::new(format!("{command} --no-header --quiet")).arg(OsStr::from_bytes(name)).ok();
            assert!(run.stdout().contains(&helper.pid().to_string()), "{command}: {}", run.stdout());
        }
    }
    let none = Fdscope::new("list").arg(OsStr::from_bytes(b"none\xff")).run();
    none.check(3, r"no process has the command name 'none\xff'");
}

#[test]
fn fds_of_a_pid() {
    let helper = Helper::start("pipes::pipe");
    let (reader, writer) = (helper.fd("reader"), helper.fd("writer"));
    let fds = |spec: &str| -> Vec<Value> {
        let target = format!("list {}:{spec}", helper.pid());
        Fdscope::new(target).records().iter().map(|r| r["fd"].clone()).collect()
    };
    assert_eq!(fds(&format!("{writer},0,{reader}")), [json!(0), json!(reader), json!(writer)]);
    assert_eq!(fds("1-2"), [json!(1), json!(2)]);
    assert_eq!(fds("0-").len(), numbers(helper.pid()).len());
    let run = Fdscope::new(format!("list {}:9999", helper.pid())).run();
    run.check(1, "").prints("");
}

/// `self` is what fdscope was given, without what it opens to look.
#[test]
fn own_fds() {
    let file = tempfile::tempfile().unwrap();
    let output = tempfile::NamedTempFile::new().unwrap();
    let errors = std::fs::File::options().append(true).open(output.path()).unwrap();
    let run = Fdscope::new("list self --columns fd,access,kind --no-header").stdin(file).stderr(errors).run();
    run.check(0, "").prints("0  rw  regular\n1  w   pipe\n2  w   regular\n");
}

#[test]
fn what_is_no_target() {
    let refused = |target: &str, text: &str| {
        Fdscope::new("list --").arg(target).run().check(2, text).prints("");
    };
    refused("", "TARGET");
    refused("0", "not a pid");
    refused("99999999999", "not a pid");
    refused("self:5-3", "backwards");
    refused("1:2,x", "is not an fd number");
    refused("4242:", "'4242:' names no fds behind the colon: PID:FDS is such as 4242:0,3-7");
    refused("4242:all", "'4242:all': all fds of a process are meant by its pid alone: 4242");
    // What is no /proc.
    let empty = tempfile::tempdir().unwrap();
    for command in ["list", "sockets", "peers", "limits --all", "list nobody"] {
        let run = Fdscope::new(command).env("FDSCOPE_PROC", empty.path()).run();
        run.check(3, "no process is to be seen there; is it a proc filesystem?").prints("");
    }
    // It is no other than without a word.
    Fdscope::new("limits --quiet").env("FDSCOPE_PROC", "/proc").ok();
    let own = Fdscope::new("list self --columns pid --no-header").env("FDSCOPE_PROC", "/proc").ok();
    assert_eq!(own.lines()[0], own.pid.to_string());
    let name = unique("nobody");
    Fdscope::new("list").arg(&name).run().check(3, &format!("no process has the command name '{name}'"));
    // Nor does one whose text is not UTF-8 do any harm.
    Fdscope::new("list").arg(OsStr::from_bytes(b"\xff")).run().check(3, r"\xff: no process has");
    Fdscope::new("list").arg(OsStr::from_bytes(b"\xff:3x")).run().check(2, "is not an fd number");
}
