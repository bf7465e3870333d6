//! Lines of fdinfo that tell kinds apart which have one inode in common.

use super::FdInfo;

/// The key of its first line, the kind that writes it, and whether it always does.
const MARKS: &[(&[u8], &str, bool)] = &[
    (b"eventfd-count", "eventfd", true),
    (b"clockid", "timerfd", true),
    (b"sigmask", "signalfd", true),
    (b"Pid", "pidfd", true),
    (b"tfd", "epoll", false),
    (b"inotify wd", "inotify", false),
];

/// Whether what fdinfo tells is of an fd of this kind: surely, surely not, or nothing if it does not say.
pub fn is_told_of(info: &FdInfo<'_>, kind: &str) -> Option<bool> {
    let first = info.first_key();
    if let Some((_, owner, _)) = MARKS.iter().find(|(key, ..)| Some(*key) == first) {
        return Some(*owner == kind);
    }
    // Locks come before it.
    let (key, ..) = MARKS.iter().find(|(_, owner, always)| *owner == kind && *always)?;
    Some(info.lines().any(|(line, _)| line == *key))
}

/// Whether an fd of this kind has the inode that most anonymous ones have in common. Of others it is not said.
pub fn has_common_inode(kind: &str) -> bool {
    matches!(kind, "eventfd" | "timerfd" | "signalfd" | "epoll" | "inotify" | "fanotify")
}

#[cfg(test)]
mod tests {
    use super::{FdInfo, is_told_of};

    #[test]
    fn whose_lines_they_are() {
        let told = |info: &'static str, kind| is_told_of(&FdInfo::parse(info.as_bytes()), kind);
        let eventfd = "pos:\t0\nflags:\t02\neventfd-count:                3\n";
        assert_eq!(told(eventfd, "eventfd"), Some(true));
        assert_eq!(told(eventfd, "timerfd"), Some(false));
        assert_eq!(told(eventfd, "epoll"), Some(false));
        assert_eq!(told(eventfd, "regular"), Some(false));
        let plain = "pos:\t0\nflags:\t02\n";
        assert_eq!(told(plain, "eventfd"), Some(false));
        assert_eq!(told(plain, "epoll"), None, "it watches nothing");
        let locked = "flags:\t02\nlock:\t1: FLOCK  ADVISORY  WRITE 1 00:10:5 0 EOF\nclockid: 1\n";
        assert_eq!(told(locked, "timerfd"), Some(true));
        assert_eq!(told(locked, "regular"), None);
        let inotify = "flags:\t00\ninotify wd:1 ino:2 sdev:3 mask:4 ignored_mask:0 fhandle-bytes:8\n";
        assert_eq!(told(inotify, "inotify"), Some(true));
    }
}
