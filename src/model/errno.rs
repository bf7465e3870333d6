//! Errors of system calls in words.

use nix::errno::Errno;

/// The name of an error, as `errno(3)` has it: `EMFILE`.
pub fn errno_name(errno: i32) -> String {
    format!("{:?}", Errno::from_raw(errno))
}

/// An error in words, with its name: `too many open files (EMFILE)`.
pub fn errno_words(errno: i32) -> String {
    let errno = Errno::from_raw(errno);
    format!("{} ({errno:?})", errno.desc().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{errno_name, errno_words};

    #[test]
    fn names_and_words() {
        assert_eq!(errno_name(libc::EMFILE), "EMFILE");
        assert_eq!(errno_words(libc::EMFILE), "too many open files (EMFILE)");
    }
}
