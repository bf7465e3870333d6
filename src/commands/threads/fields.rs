//! The fields of `threads`.

use super::held;
use super::row::Row;
use super::text::at_most;
use crate::model::{Cell, Column, Timeout, Value, Wait, column_table};
use std::time::Duration;

fn time<'a>(time: Option<Duration>) -> Option<Cell<'a>> {
    time.map(|time| Cell::Float(time.as_secs_f64()))
}

fn list(values: &Option<Vec<Value>>) -> Option<Cell<'_>> {
    values.as_deref().map(Cell::List)
}

fn timeout_of(row: &Row) -> Option<Cell<'_>> {
    match row.timeout? {
        Timeout::Never => Some(Cell::Null),
        Timeout::After(given) => time(Some(given)),
        Timeout::Until { .. } | Timeout::Unread(_) => None,
    }
}

fn left(row: &Row) -> Option<Cell<'_>> {
    match row.timeout? {
        Timeout::Until { left, .. } => Some(left.map_or(Cell::Null, |left| Cell::Float(left.as_secs_f64()))),
        Timeout::After(given) => time(at_most(given, row.asleep)),
        _ => None,
    }
}

fn clock(row: &Row) -> Option<Cell<'_>> {
    match row.timeout? {
        Timeout::Until { clock, .. } => Some(Cell::Text(clock_name(clock).as_bytes())),
        _ => None,
    }
}

/// Without `CLOCK_`, in lower case: `clock_gettime(2)`.
fn clock_name(clock: i32) -> &'static str {
    match clock {
        libc::CLOCK_REALTIME => "realtime",
        libc::CLOCK_MONOTONIC => "monotonic",
        libc::CLOCK_PROCESS_CPUTIME_ID => "process_cputime_id",
        libc::CLOCK_THREAD_CPUTIME_ID => "thread_cputime_id",
        libc::CLOCK_BOOTTIME => "boottime",
        libc::CLOCK_REALTIME_ALARM => "realtime_alarm",
        libc::CLOCK_BOOTTIME_ALARM => "boottime_alarm",
        libc::CLOCK_TAI => "tai",
        _ => "other",
    }
}

fn abi(row: &Row) -> Option<Cell<'_>> {
    Some(Cell::Text(row.thread.doing.call()?.abi.word().as_bytes()))
}

fn op(row: &Row) -> Option<Cell<'_>> {
    match &row.thread.doing.call()?.wait {
        Wait::Futex { op, .. } => Some(Cell::Text(op.as_bytes())),
        _ => None,
    }
}

fn private(row: &Row) -> Option<Cell<'_>> {
    match &row.thread.doing.call()?.wait {
        Wait::Futex { private, .. } => Some(Cell::Bool(*private)),
        _ => None,
    }
}

fn restarted(row: &Row) -> Option<Cell<'_>> {
    Some(Cell::Bool(row.thread.doing.call()?.restarted))
}

/// All fields, in the order of the manual.
pub(super) const COLUMNS: &[Column<Row>] = column_table! {
    "pid", Integer, "process id", |r| Some(Cell::Int(r.process.pid.0.into()));
    "command", String, "command name of the process, at most 15 bytes", |r| Some(Cell::Text(&r.process.command));
    "user", String, "name of the process's effective user; its number where it has no name",
        |r| r.process.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "uid", Integer, "effective user id of the process", |r| Some(Cell::Uint(r.process.uid.into()));
    "tid", Integer, "thread id; that of the first thread is the pid", |r| Some(Cell::Int(r.thread.tid.0.into()));
    "name", String, "name of the thread, at most 15 bytes", |r| Some(Cell::Text(&r.thread.name));
    "state", String, "running, sleeping, uninterruptible, stopped, traced, frozen (with its cgroup), idle, parked, zombie or \
        dead: proc_pid_stat(5)",
        |r| Some(Cell::Text(r.thread.state.word().as_bytes()));
    "share", Number, "with --sample: in how many of the looks at the thread, in percent, it was seen so",
        |r| r.seen.map(|seen| Cell::Float(seen.share()));
    "looks", Integer, "with --sample: in how many looks", |r| r.seen.map(|seen| Cell::Uint(seen.looks));
    "cpu", Duration, "CPU time that the thread has used, in its program and in the kernel",
        |r| time(Some(r.thread.cpu.total()));
    "utime", Duration, "CPU time in its program, in whole ticks of the kernel", |r| time(Some(r.thread.cpu.user));
    "stime", Duration, "CPU time in the kernel, in whole ticks", |r| time(Some(r.thread.cpu.system));
    "run_delay", Duration, "time that it was ready for a CPU and had none", |r| time(r.thread.cpu.queued);
    "cpu_used", Duration, "with --sample: CPU time that it used meanwhile", |r| time(r.seen?.used);
    "cpu_percent", Number, "with --sample: the same, in percent of one CPU",
        |r| r.seen?.percent(r.seen?.used).map(Cell::Float);
    "delay_percent", Number, "with --sample: time that it was ready for a CPU and had none, in percent",
        |r| r.seen?.percent(r.seen?.delayed).map(Cell::Float);
    "asleep", Duration, "for how long, at least, the thread has not run; absent where the kernel does not tell", |r| time(r.asleep);
    "processor", Integer, "the CPU that it is on, or was on last", |r| r.thread.processor.map(|n| Cell::Uint(n.into()));
    "call", String, "the system call that it waits in, by name; by number where there is no name or abi is not native",
        |r| r.call.as_deref().map(|c| Cell::Text(c.as_bytes()));
    "abi", String, "native; 32-bit or x32, whose calls are not decoded", abi;
    "args", List, "the arguments of the call as they are, in hex", |r| list(&r.args);
    "restarted", Bool, "whether the call goes on after a signal such as SIGCONT: restart_syscall(2)", restarted;
    "waits_for", String, "the call and what it waits for, in words", |r| Some(Cell::Text(&r.waits_for));
    "fds", Records[held::MEMBERS], "the fds that the call waits for: fd, events (of poll and select), kind, name", |r| list(&r.fds);
    "timeout", Duration, "for how long the call was told to wait, from its beginning; null for as long as it takes", timeout_of;
    "left", Duration, "time left; at most so much where the call was given a time from its beginning on. Null for a point in time of a clock that is not ours", left;
    "clock", String, "the clock of that point in time: realtime, monotonic, ...", clock;
    "futex.op", String, "what is waited for: wait, wait_bitset, lock_pi, ...: futex(2)", op;
    "futex.words", List, "where the words are that are waited on, in hex", |r| list(&r.words);
    "futex.private", Bool, "whether only threads of this process can wake it", private;
    "futex.others", Integer, "how many other threads of the process wait on the same word",
        |r| r.others.map(|n| Cell::Uint(n as u64));
    "likely", String, "what that likely is: gil, the lock of the Python interpreter",
        |r| r.likely.map(|word| Cell::Text(word.as_bytes()));
    "wchan", String, "the function of the kernel in which it waits, where the call does not say enough",
        |r| r.wchan.as_deref().map(Cell::Text);
    "error", String, "why it is not known what it does: EACCES, EPERM, ENOENT",
        |r| r.error.as_deref().map(|e| Cell::Text(e.as_bytes()));
    "serving.model", String, "how the process serves connections: event-loop, shared-event-loop, event-loops, thread-per-connection, thread-pool, \
        prefork, process-per-connection, completion or unknown",
        |r| r.serving.as_ref().map(|s| Cell::Text(s.model.word().as_bytes()));
    "serving.likely", Bool, "whether other models would look the same", |r| r.serving.as_ref().map(|s| Cell::Bool(s.likely));
    "serving.evidence", List, "what that is seen from; in the first record of a process alone",
        |r| r.serving.as_ref().filter(|_| r.leads).map(|s| Cell::List(&s.evidence));
};
