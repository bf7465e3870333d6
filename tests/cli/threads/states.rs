//! Threads that are stopped, go on, end, or have fds of their own.

use super::{named, of, settle, thread};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, call, eventually, needs};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::os::fd::AsRawFd as _;

listed! { "threads::states": restartable own_table short_lived reader uninterruptible }

const LONG: [i64; 2] = [3600, 0];

/// Threads in the calls that go on by restart_syscall(2) after a stop, and one in a call that does not.
fn restartable(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    let r = reader.as_raw_fd();
    keeper.told["reader"] = r.into();
    #[cfg(target_arch = "x86_64")]
    thread(keeper, "poll", move || {
        let mut fds = [libc::pollfd { fd: r, events: libc::POLLIN, revents: 0 }];
        let _ = call(libc::SYS_poll, [fds.as_mut_ptr() as usize, 1, 3_600_000, 0, 0, 0]);
    });
    thread(keeper, "sleep", || {
        let _ = call(libc::SYS_nanosleep, [LONG.as_ptr() as usize, 0, 0, 0, 0, 0]);
    });
    thread(keeper, "clock", || {
        let _ = call(libc::SYS_clock_nanosleep, [1, 0, LONG.as_ptr() as usize, 0, 0, 0]);
    });
    thread(keeper, "futex", || {
        let word = 7_u32;
        let at = std::ptr::from_ref(&word) as usize;
        let _ = call(libc::SYS_futex, [at, libc::FUTEX_WAIT as usize, 7, LONG.as_ptr() as usize, 0, 0]);
    });
    thread(keeper, "read", move || {
        let _ = call(libc::SYS_read, [r as usize, [0_u8; 8].as_mut_ptr() as usize, 8, 0, 0, 0]);
    });
    keeper.keep((reader, writer));
    Ok(())
}

#[test]
fn stopped_and_continued() {
    let helper = Helper::start("threads::states::restartable");
    let names: &[(&str, &str)] = &[
        ("poll", "poll"),
        ("sleep", "nanosleep"),
        ("clock", "clock_nanosleep"),
        ("futex", "futex"),
        ("read", "read"),
    ];
    let names = if cfg!(target_arch = "x86_64") { names } else { &names[1..] };
    let pid = Pid::from_raw(helper.pid() as i32);
    let look = || of(&helper, "--columns +restarted").records();
    let each = |expected: &dyn Fn(&str) -> Value| -> Vec<(&str, Value)> {
        names.iter().map(|(name, call)| (*name, expected(call))).collect()
    };
    settle(look, &each(&|call| json!({"call": call, "state": "sleeping", "restarted": false})));
    kill(pid, Signal::SIGSTOP).unwrap();
    let stopped = |call: &str| json!({"call": call, "state": "stopped", "waits_for": {"$holds": format!("stopped in {call}")}});
    settle(look, &each(&stopped));
    kill(pid, Signal::SIGCONT).unwrap();
    // Its function of the kernel tells which call goes on: where that may not be seen, nothing does.
    if std::fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|wchan| wchan == "0") {
        eprintln!("skipped: which call goes on after SIGCONT, because /proc/PID/wchan does not tell");
        return;
    }
    settle(look, &each(&|call| json!({"call": call, "state": "sleeping", "restarted": call != "read"})));
    let records = look();
    if let Some(poll) = named(&records, "poll") {
        assert_eq!(poll["fds"][0]["fd"], helper.told["reader"], "{poll}");
        assert_eq!(poll["timeout"], 3600.0);
    }
    // Stopped again, it can be told of one by what it was given; that it has another number makes no other
    // call of it.
    kill(pid, Signal::SIGSTOP).unwrap();
    let again = |name: &str, word: &str| {
        (name.to_owned(), json!({"call": word, "state": "stopped", "restarted": word != "read"}))
    };
    let expected =
        [again("clock", "clock_nanosleep"), again("futex", "restart_syscall"), again("read", "read")];
    settle(look, &expected.each_ref().map(|(name, record)| (name.as_str(), record.clone())));
    kill(pid, Signal::SIGCONT).unwrap();
}

/// A thread with an fd table of its own waits for an fd whose number is another's in the common one.
fn own_table(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    let r = reader.as_raw_fd();
    // Where one may not have a table of one's own, this is what is told of it.
    needs(std::thread::spawn(|| unshare(CloneFlags::CLONE_FILES)).join().unwrap(), "unshare(CLONE_FILES)")?;
    thread(keeper, "apart", move || {
        unshare(CloneFlags::CLONE_FILES).unwrap();
        let counter = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        rustix::io::read(&counter, &mut [0; 8]).unwrap();
    });
    thread(keeper, "together", move || {
        let _ = call(libc::SYS_read, [r as usize, [0_u8; 8].as_mut_ptr() as usize, 8, 0, 0, 0]);
    });
    keeper.keep((reader, writer));
    Ok(())
}

#[test]
fn fds_of_a_table_of_its_own() {
    let helper = Helper::start("threads::states::own_table");
    if helper.was_skipped() {
        return;
    }
    let expected = [
        ("apart", json!({"call": "read", "fds": [{"kind": "eventfd"}]})),
        ("together", json!({"call": "read", "fds": [{"kind": "pipe"}]})),
    ];
    settle(|| of(&helper, "").records(), &expected);
}

/// A thread that sleeps stays asleep, however often it is looked at, and has nobody who traces it.
#[test]
fn nobody_is_woken_up() {
    let helper = Helper::start("threads::states::reader");
    settle(|| of(&helper, "").records(), &[("reads", json!({"call": "read"}))]);
    let status = format!("/proc/{}/task/{}/status", helper.pid(), helper.told["reads"]["tid"]);
    let lines = || {
        let text = std::fs::read_to_string(&status).unwrap();
        let kept = |line: &&str| line.contains("ctxt_switches") || line.starts_with("TracerPid");
        text.lines().filter(kept).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = lines();
    assert!(before.contains(&"TracerPid:\t0".to_owned()), "{before:?}");
    of(&helper, "").ok();
    of(&helper, "--sample 100ms --interval 1ms --quiet").ok();
    assert_eq!(lines(), before);
}

/// Threads come and go all the time.
fn short_lived(keeper: &mut Keeper) -> Result<(), Skip> {
    thread(keeper, "maker", || {
        loop {
            let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(std::thread::yield_now)).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
    Ok(())
}

#[test]
fn threads_that_end_meanwhile_are_no_error() {
    let helper = Helper::start("threads::states::short_lived");
    for _ in 0..20 {
        let run = of(&helper, "--json").ok();
        let records = run.records();
        assert!(named(&records, "maker").is_some());
        assert!(records.iter().all(|r| r["pid"] == helper.pid()));
    }
    let run = of(&helper, "--sample 200ms --json --quiet").ok();
    assert!(named(&run.records(), "maker").is_some());
}

/// A thread that waits for a child as vfork(2) does, which no signal but SIGKILL ends.
fn uninterruptible(keeper: &mut Keeper) -> Result<(), Skip> {
    thread(keeper, "vforks", || {
        let flags = (libc::CLONE_VFORK | libc::SIGCHLD) as usize;
        if call(libc::SYS_clone, [flags, 0, 0, 0, 0, 0]).expect("a child") == 0 {
            // System calls alone, until its parent ends.
            let kill = libc::SIGKILL as usize;
            let _ = call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, kill, 0, 0, 0, 0]);
            loop {
                let _ = call(libc::SYS_nanosleep, [LONG.as_ptr() as usize, 0, 0, 0, 0, 0]);
            }
        }
    });
    Ok(())
}

#[test]
fn what_no_signal_ends() {
    let helper = Helper::start("threads::states::uninterruptible");
    let expected = [("vforks", json!({"call": "clone", "state": "uninterruptible"}))];
    for look in ["", "--sample 50ms --quiet"] {
        let records = settle(|| of(&helper, look).records(), &expected);
        let record = named(&records, "vforks").unwrap();
        let function = record["wchan"].as_str().unwrap_or_default();
        let text = if function.is_empty() {
            "clone".to_owned()
        } else {
            format!("clone, in the kernel at {function}")
        };
        assert_eq!(record["waits_for"], *text);
    }
}

/// A thread that waits for a pipe.
fn reader(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    thread(keeper, "reads", move || {
        let _ = rustix::io::read(&reader, &mut [0; 8]);
    });
    keeper.keep(writer);
    Ok(())
}

#[test]
fn one_thread_by_its_id() {
    let helper = Helper::start("threads::states::reader");
    let tid = helper.told["reads"]["tid"].as_i64().unwrap();
    let pid = helper.pid();
    for target in [format!("{tid}"), format!("{pid}:{tid}"), format!("helper:{tid}")] {
        let run = Fdscope::new(format!("threads {target} --json")).run();
        // Other tests have helpers of that name, which do not have this thread, and may end just now.
        if !target.starts_with("helper") {
            run.check(0, "");
        }
        let records = run.records();
        assert_eq!(records.len(), 1, "{target}: {records:?}");
        assert_eq!((&records[0]["pid"], &records[0]["tid"]), (&json!(pid), &json!(tid)), "{target}");
    }
    // Several targets of one process are one process with all that they name.
    let both = Fdscope::new(format!("threads {pid}:{pid} {tid}")).records();
    assert_eq!(both.len(), 2, "{both:?}");
    let run = Fdscope::new(format!("threads {pid}:2147483000")).run();
    run.check(3, &format!("{pid}:2147483000: there is no such thread"));
}

#[test]
fn a_zombie_has_ended() {
    let mut helper = Helper::start("threads::states::reader");
    helper.kill();
    eventually("the zombie", || of(&helper, "").records().len() == 1);
    let records = of(&helper, "").records();
    assert_eq!((&records[0]["state"], &records[0]["waits_for"]), (&json!("zombie"), &json!("ended")));
}
