//! Which call `restart_syscall(2)` goes on with.

/// The call, from the function of the kernel that the thread waits in; the arguments are still its
/// own. Only calls with a relative timeout go on in this way, all others are made again.
pub(super) fn original(function: &[u8], args: &[u64; 6]) -> Option<&'static str> {
    /// Those that sleep and nothing else.
    const SLEEPS: &[&[u8]] =
        &[b"hrtimer_nanosleep", b"do_nanosleep", b"alarm_timer", b"alarmtimer", b"do_cpu_nanosleep"];
    /// Those that every call passes: a sleep that is restarted leaves no function of its own behind,
    /// where the compiler made its last call a jump, while poll and futex do.
    const ENTRIES: &[&[u8]] = &[
        b"do_syscall_64",
        b"x64_sys_call",
        b"__do_sys_restart_syscall",
        b"__x64_sys_restart_syscall",
        b"invoke_syscall",
        b"el0_svc",
    ];
    /// Those in which one stands that was stopped again: they say nothing of the call.
    const STOPS: &[&[u8]] = &[b"do_signal_stop", b"ptrace_stop", b"do_jobctl_trap"];
    let is_in = |names: &[&[u8]]| names.iter().any(|name| function.starts_with(name));
    // clock_nanosleep(2) has a clock first, nanosleep(2) an address.
    let is_clock = (args[0] as i32) < 4096 && args[0] >> 32 == 0 || (args[0] as i64) < 0;
    if is_in(&[b"poll_schedule_timeout", b"do_poll", b"do_sys_poll", b"do_restart_poll"]) {
        Some("poll")
    } else if is_in(&[b"futex", b"__futex", b"do_futex"]) {
        Some("futex")
    } else if is_in(STOPS) {
        // No other call has a clock first and an address third. The rest looks alike.
        (is_clock && args[2] >> 32 != 0).then_some("clock_nanosleep")
    } else if is_in(SLEEPS) || is_in(ENTRIES) {
        Some(if is_clock { "clock_nanosleep" } else { "nanosleep" })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::original;

    #[test]
    fn by_function_and_arguments() {
        let call = |function: &str, first| original(function.as_bytes(), &[first, 0, 0, 0, 0, 0]);
        assert_eq!(call("poll_schedule_timeout.constprop.0", 0x7f00), Some("poll"));
        assert_eq!(call("futex_do_wait", 0x7f00), Some("futex"));
        assert_eq!(call("hrtimer_nanosleep", 1), Some("clock_nanosleep"));
        assert_eq!(call("hrtimer_nanosleep", 0x7fff_0000_1000), Some("nanosleep"));
        assert_eq!(call("do_syscall_64", 0), Some("clock_nanosleep"));
        assert_eq!(call("do_epoll_wait", 6), None);
        let stopped = |args| original(b"do_signal_stop", &args);
        assert_eq!(stopped([1, 0, 0x7fff_0000_1000, 0, 0, 0]), Some("clock_nanosleep"));
        // poll(2) without fds, and with some or futex(2).
        assert_eq!(stopped([0, 0, 60_000, 0, 0, 0]), None);
        assert_eq!(stopped([0x7fff_0000_1000, 1, 0x7fff_0000_2000, 0, 0, 0]), None);
    }
}
