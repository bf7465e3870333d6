//! Threads of a made-up /proc: what this kernel, or any that is alive, does not show.

use crate::support::{FakeProc, difference};
use serde_json::{Value, json};

/// `threads --json` of a process with one thread of this state and `syscall` text.
fn record(state: char, syscall: &[u8]) -> Value {
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    process.thread(77, &stat(b"fake", state, 0), syscall);
    let mut records = fake.fdscope("threads 77").arg("--json").run().records();
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

fn stat(name: &[u8], state: char, flags: u64) -> Vec<u8> {
    let rest = format!(") {state} 1 1 1 0 -1 {flags} 0 0 0 0 150 25 0 0 20 0 1 0 5 0 0");
    [b"77 (", name, rest.as_bytes()].concat()
}

#[track_caller]
fn check(state: char, syscall: &str, expected: Value) {
    let record = record(state, syscall.as_bytes());
    assert_eq!(difference(&expected, Some(&record)), Vec::<String>::new(), "{record}");
}

#[test]
fn running_and_in_no_call() {
    check('R', "running\n", json!({"state": "running", "waits_for": "running", "call": {"$absent": true}}));
    // The two files are of two moments: the later one counts.
    check('S', "running\n", json!({"state": "running", "waits_for": "running"}));
    let text = format!("{} 0x9 0x0 0x0 0x0 0x0 0x0 0x7ffd00000000 0x7f0000000000\n", libc::SYS_read);
    check('R', &text, json!({"state": "sleeping", "call": "read"}));
    check(
        'D',
        "-1 0x7ffd00000000 0x7f0000000000\n",
        json!({"state": "uninterruptible", "waits_for": "in the kernel, in no call"}),
    );
    check('T', "-1 0x7ffd00000000 0x7f0000000000\n", json!({"state": "stopped", "waits_for": "stopped"}));
    check('t', &text, json!({"state": "traced", "waits_for": "traced in read on 9 (closed)"}));
    check('Z', "", json!({"state": "zombie", "waits_for": "ended"}));
}

#[test]
fn cpu_time_in_ticks_where_there_is_nothing_better() {
    // 150 and 25 ticks, of which there are 100 a second everywhere.
    check(
        'R',
        "running\n",
        json!({"utime": 1.5, "stime": 0.25, "cpu": 1.75, "run_delay": {"$absent": true}}),
    );
}

#[test]
fn a_call_that_is_not_known() {
    let text = "987654 0x1 0xffffffffffffffff 0x0 0x0 0x0 0x0 0x7ffd00000000 0x7f0000000000\n";
    check('S', text, json!({"call": "987654", "abi": "native", "waits_for": "call 987654"}));
}

#[test]
fn x32_is_told_by_its_bit() {
    let text = "1073741831 0x1 0x0 0x0 0x0 0x0 0x0 0x7ffd00000000 0x7f0000000000\n";
    check('S', text, json!({"abi": "x32", "waits_for": "x32 call 7, not decoded", "fds": {"$absent": true}}));
}

#[test]
fn what_is_in_memory_is_not_read_of_another_tree() {
    let text =
        format!("{} 0x7f0000000000 0x2 0x0 0x0 0x8 0x0 0x7ffd00000000 0x7f0000000000\n", libc::SYS_ppoll);
    let text_of = "ppoll on 2 fds (not read)";
    check(
        'S',
        &text,
        json!({"call": "ppoll", "waits_for": text_of, "fds": {"$absent": true}, "timeout": null}),
    );
}

#[test]
fn text_that_makes_no_sense() {
    for text in ["", "\n", "7\n", "7 0x1 0x2\n", "x 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n"] {
        check(
            'S',
            text,
            json!({"error": "ENODATA", "waits_for": "not known: /proc/PID/syscall makes no sense"}),
        );
    }
}

#[test]
fn a_kernel_without_the_file() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    process.thread(77, &stat(b"fake", 'S', 0), b"");
    std::fs::remove_file(fake.path().join("77/task/77/syscall")).unwrap();
    let run = fake.fdscope("threads 77 --json").run();
    run.check(3, "what the threads of process 77 (fake) wait for is not told by this kernel");
    assert_eq!(run.records()[0]["error"], "ENOENT");
}

/// A thread of the kernel has no registers of a program: it would read as in call 0.
#[test]
fn threads_of_the_kernel_make_no_calls() {
    const PF_KTHREAD: u64 = 0x20_0000;
    const PF_IO_WORKER: u64 = 0x10;
    for flags in [PF_KTHREAD, PF_IO_WORKER] {
        let fake = FakeProc::new();
        let process = fake.process(77, b"fake");
        process.thread(77, &stat(b"iou-wrk-77", 'S', flags), b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n");
        process.write("task/77/wchan", "io_wq_worker");
        let records = fake.fdscope("threads 77").records();
        let expected = json!({"name": "iou-wrk-77", "call": {"$absent": true}, "wchan": "io_wq_worker",
            "waits_for": "a thread of the kernel (io_wq_worker)"});
        assert_eq!(difference(&expected, Some(&records[0])), Vec::<String>::new());
    }
}

#[test]
fn names_of_any_bytes() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    process.thread(77, &stat(b"a) R 1\\n(\\\\\xff\x1b", 'S', 0), b"running\n");
    process.write("task/77/comm", b"a) R 1\n(\\\xff\x1b\n");
    let record = fake.fdscope("threads 77").records().remove(0);
    assert_eq!(record["name"], "a) R 1\n(\\\\\\xff\u{1b}");
    let table = fake.fdscope("threads 77 --columns name,state --no-header").ok();
    table.prints("a) R 1\\n(\\\\\\xff\\x1b  running\n");
}

#[test]
fn a_thread_that_ends_while_it_is_read() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    process.thread(77, &stat(b"fake", 'R', 0), b"running\n");
    // A directory that is left without its files, as of one that ends just then.
    std::fs::create_dir(fake.path().join("77/task/78")).unwrap();
    let run = fake.fdscope("threads 77 --json").ok();
    assert_eq!((run.records().len(), &run.json()["vanished"]), (1, &json!(1)));
}
