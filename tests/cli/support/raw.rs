//! The calls that have no safe form.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A user and group without any right.
pub(crate) const NOBODY: u32 = 65534;

/// A system call. Pointers among the arguments must be to what the call takes, which outlives it.
pub(crate) fn call(number: libc::c_long, arguments: [usize; 6]) -> io::Result<usize> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: every caller passes integers, or the address of a live value of the layout that
    // this system call reads or writes.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A system call that makes an fd.
pub(crate) fn call_fd(number: libc::c_long, arguments: [usize; 6]) -> io::Result<OwnedFd> {
    let fd = call(number, arguments)?;
    // SAFETY: the call made this fd, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A value's bytes, as the kernel reads them.
pub(crate) fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: the values are structs of integers without padding, borrowed for as long as the
    // bytes are.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// Has the command start with fds 0 to 2 alone and with no signal ignored, whatever we were
/// started with, and killed by SIGALRM if it still runs after so many seconds.
pub(crate) fn confine(command: &mut Command, seconds: u32) {
    // What a shell ignores for its jobs in the background, and what nohup(1) does.
    const IGNORED: [i32; 3] = [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP];
    // SAFETY: the calls are async-signal-safe, and the fds stay open until the exec.
    unsafe {
        command.pre_exec(move || {
            libc::alarm(seconds);
            for signal in IGNORED {
                libc::signal(signal, libc::SIG_DFL);
            }
            let flags = libc::CLOSE_RANGE_CLOEXEC;
            match libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
}

/// Has the command killed when the thread that starts it ends.
pub(crate) fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl is a plain system call, safe after fork.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// Has the command run as a user and group, without any privilege.
pub(crate) fn run_as(command: &mut Command, id: u32) {
    run_as_other(command, id, id);
}

/// Has the command run without any privilege, for one user in fact and another in effect.
pub(crate) fn run_as_other(command: &mut Command, real: u32, id: u32) {
    // SAFETY: these are plain system calls, safe after fork.
    unsafe {
        command.pre_exec(move || {
            let done = libc::setgroups(0, std::ptr::null()) == 0
                && libc::setresgid(id, id, id) == 0
                && libc::setresuid(real, id, id) == 0;
            if done { Ok(()) } else { Err(io::Error::last_os_error()) }
        });
    }
}

/// Has the command run as root without a capability, by its number in capabilities(7).
pub(crate) fn run_without(command: &mut Command, capability: libc::c_ulong) {
    // SAFETY: prctl is a plain system call, safe after fork.
    unsafe {
        command.pre_exec(move || match libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// Has the command run with a resource limit.
pub(crate) fn limit(command: &mut Command, resource: libc::__rlimit_resource_t, soft: u64, hard: u64) {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: setrlimit is a plain system call, safe after fork.
    unsafe {
        command.pre_exec(move || match libc::setrlimit(resource, &raw const limit) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

/// Has the command start with an fd of ours under another number.
pub(crate) fn pass(command: &mut Command, fd: impl AsFd, number: i32) {
    // As a duplicate beyond all numbers that are asked for, so that none overwrites it.
    let fd = rustix::io::fcntl_dupfd_cloexec(fd, 100).expect("an fd");
    // SAFETY: dup2 is a plain system call, safe after fork, and the fd lives as long as the
    // closure.
    unsafe {
        command.pre_exec(move || match libc::dup2(fd.as_raw_fd(), number) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
}

/// Has the command be traceable by all who may trace its user's processes, where Yama would have it
/// only by its parents.
pub(crate) fn traceable(command: &mut Command) {
    // SAFETY: prctl is a plain system call, safe after fork.
    unsafe {
        command.pre_exec(|| {
            // Without Yama it fails, and is not needed.
            libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY, 0, 0, 0);
            Ok(())
        });
    }
}

/// Has a system call of the command and of all that it starts fail with an error, by seccomp(2).
pub(crate) fn forbid(command: &mut Command, number: libc::c_long, errno: i32) {
    let step = |code: u32, jump: u8, k: u32| libc::sock_filter { code: code as u16, jt: jump, jf: 0, k };
    let filter = [
        // The number is the first word of struct seccomp_data.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, number as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
    ];
    // SAFETY: prctl is a plain system call, safe after fork, and the program that the second is
    // given lives as long as the closure.
    unsafe {
        command.pre_exec(move || {
            let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
            let done = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0;
            if done { Ok(()) } else { Err(io::Error::last_os_error()) }
        });
    }
}
