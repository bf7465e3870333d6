//! An fd of a process: who holds something, or its other end.

use super::field::{Member, Type};
use super::ids::FdNum;
use super::process::Process;
use std::io::Write as _;
use std::sync::Arc;

/// An fd of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub process: Arc<Process>,
    /// The fd.
    pub fd: FdNum,
}

/// Its names in JSON and in expressions.
pub const MEMBERS: &[Member] = &[("pid", Type::Integer), ("command", Type::String), ("fd", Type::Integer)];

/// How many processes, and how many fds of each, are named before it is said how many more there
/// are.
const PROCESSES: usize = 3;
const FDS: usize = 4;

/// The first of them, in a few words: `4243/nginx 8, 4244/nginx 8,9 and 30 more`. `command` writes
/// the name of a command.
pub fn few(holders: &[Holder], out: &mut Vec<u8>, command: impl Fn(&mut Vec<u8>, &[u8])) {
    let groups = || holders.chunk_by(|a, b| a.process.pid == b.process.pid);
    // Room for one more is room for its name.
    let shown = if groups().nth(PROCESSES + 1).is_some() { PROCESSES } else { PROCESSES + 1 };
    let mut named = 0;
    let mut number = itoa::Buffer::new();
    for (nth, group) in groups().take(shown).enumerate() {
        let process = &group[0].process;
        out.extend_from_slice(if nth > 0 { b", " } else { b"" });
        out.extend_from_slice(number.format(process.pid.0).as_bytes());
        out.push(b'/');
        command(out, &process.command);
        for (nth, holder) in group.iter().take(FDS).enumerate() {
            out.push(if nth > 0 { b',' } else { b' ' });
            out.extend_from_slice(number.format(holder.fd.0).as_bytes());
        }
        named += group.len().min(FDS);
    }
    if named < holders.len() {
        drop(write!(out, " and {} more", holders.len() - named));
    }
}

#[cfg(test)]
mod tests {
    use super::{Holder, few};
    use crate::model::{FdNum, Pid, Process};
    use std::sync::Arc;

    fn said(fds: &[(i32, i32)]) -> String {
        let holder = |&(pid, fd): &(i32, i32)| {
            let process = Process { pid: Pid(pid), command: b"x".to_vec(), uid: 0, user: None };
            Holder { process: Arc::new(process), fd: FdNum(fd) }
        };
        let holders: Vec<Holder> = fds.iter().map(holder).collect();
        let mut out = Vec::new();
        few(&holders, &mut out, |out, command| out.extend_from_slice(command));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn many_are_counted() {
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[(1, 5), (2, 5), (2, 6)]), "1/x 5, 2/x 5,6");
        assert_eq!(said(&[(1, 0), (2, 0), (3, 0), (4, 0)]), "1/x 0, 2/x 0, 3/x 0, 4/x 0");
        assert_eq!(said(&[(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]), "1/x 0, 2/x 0, 3/x 0 and 2 more");
        assert_eq!(said(&[(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]), "1/x 0,1,2,3 and 2 more");
    }
}
