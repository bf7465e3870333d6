//! Names of system calls, by number, on the architecture that fdscope runs on.
//!
//! From 424 on all architectures have the same numbers; below, each has its own table.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod common;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64::name as native;
#[cfg(target_arch = "x86_64")]
use x86_64::name as native;

/// Other architectures: numbers stay numbers.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
fn native(_number: i64) -> Option<&'static str> {
    None
}

/// A table from constants of the C library to the names that are in them; behind them what not
/// every C library has a constant for.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! table {
    ($($constant:ident)* $($number:literal = $name:literal)*) => {
        /// The name of a system call.
        pub(super) fn name(number: i64) -> Option<&'static str> {
            match number {
                $(libc::$constant => stringify!($constant).strip_prefix("SYS_"),)*
                $($number => Some($name),)*
                _ => None,
            }
        }
    };
}
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
use table;

/// The name of a system call, as `syscalls(2)` has it; nothing where the number is not known.
pub fn call_name(number: i64) -> Option<&'static str> {
    native(number).or_else(|| common::name(number))
}

#[cfg(test)]
mod tests {
    use super::call_name;
    use std::collections::HashSet;

    #[test]
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    fn names_of_this_architecture() {
        assert_eq!(call_name(libc::SYS_ppoll), Some("ppoll"));
        assert_eq!(call_name(libc::SYS_epoll_pwait), Some("epoll_pwait"));
        assert_eq!(call_name(libc::SYS_restart_syscall), Some("restart_syscall"));
        assert_eq!(call_name(libc::SYS_io_uring_enter), Some("io_uring_enter"));
        assert_eq!(call_name(-1), None);
        assert_eq!(call_name(1 << 30), None);
    }

    #[test]
    fn a_name_is_one_number() {
        let mut seen = HashSet::new();
        let twice: Vec<_> = (0..1024).filter_map(call_name).filter(|name| !seen.insert(*name)).collect();
        assert_eq!(twice, Vec::<&str>::new());
    }
}
