//! The `lock:` lines of fdinfo: `fcntl(2)` and `flock(2)` locks, and leases, held through an fd.

use super::fdinfo::FdInfo;
use crate::model::{Member, Type, Value, decimal};

pub(super) struct Lock {
    kind: &'static str,
    mode: &'static str,
    start: Option<u64>,
    /// `None` to the end of the file.
    end: Option<u64>,
}

/// The locks held through the fd.
pub(super) fn held(info: &FdInfo<'_>) -> Vec<Lock> {
    info.lines().filter(|(key, _)| *key == b"lock").filter_map(|(_, line)| parse(line)).collect()
}

/// `1: POSIX  ADVISORY  WRITE 3502 fe:00:10010671 0 EOF`, as in `proc_locks(5)`.
fn parse(line: &[u8]) -> Option<Lock> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let kind = match words.nth(1)? {
        b"FLOCK" => "flock",
        b"POSIX" => "posix",
        b"OFDLCK" => "ofd",
        b"LEASE" => "lease",
        b"DELEG" => "delegation",
        b"ACCESS" => "access",
        _ => "unknown",
    };
    let mode = match words.nth(1)? {
        b"READ" => "read",
        b"WRITE" => "write",
        b"RW" => "read-write",
        b"UNLCK" => "breaking",
        _ => "none",
    };
    Some(Lock { kind, mode, start: words.nth(2).and_then(decimal), end: words.next().and_then(decimal) })
}

/// A few words for NAME.
pub(super) fn summary(locks: &[Lock]) -> Option<String> {
    const SHOWN: usize = 2;
    if locks.is_empty() {
        return None;
    }
    let words = |l: &Lock| match l.kind {
        "lease" | "delegation" => format!("{} {}", l.mode, l.kind),
        kind => format!("{kind} {} lock", l.mode),
    };
    let mut text = locks.iter().take(SHOWN).map(words).collect::<Vec<_>>().join(", ");
    if locks.len() > SHOWN {
        text.push_str(&format!(", {} more", locks.len() - SHOWN));
    }
    Some(text)
}

/// What each of its records has.
pub(super) const MEMBERS: &[Member] =
    &[("type", Type::String), ("mode", Type::String), ("start", Type::Integer), ("end", Type::Integer)];

/// The field's value.
pub(super) fn value(locks: Vec<Lock>) -> Value {
    let record = |l: Lock| {
        Value::Map(vec![
            ("type", l.kind.into()),
            ("mode", l.mode.into()),
            ("start", l.start.into()),
            ("end", l.end.into()),
        ])
    };
    Value::List(locks.into_iter().map(record).collect())
}
