//! What the user names: a pid, `self`, a command, with fd numbers behind a colon or without.

use super::duplicate::Donor;
use super::io::read_record_at;
use super::process::command_of;
use super::root::ProcRoot;
use super::usage::number;
use crate::model::{Escape, FdRanges, Pid, escape, is_escaped};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg as _;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

/// A target as it was written.
#[derive(Clone, Debug)]
pub struct Target {
    text: String,
    who: Who,
    /// The fds that were named, `None` for all.
    pub fds: Option<FdRanges>,
}

#[derive(Clone, Debug)]
enum Who {
    Own,
    Pid(Pid),
    Command(Vec<u8>),
}

/// A process, or the id of a thread, which /proc answers to as well, though it does not list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A process.
    Process(Pid),
    /// A thread that is not the first of its process.
    Thread {
        /// The thread.
        tid: Pid,
        /// Its process.
        pid: Pid,
    },
}

/// A target that no process answers to.
#[derive(Clone, Debug)]
pub struct TargetError {
    /// The target as it was written.
    pub target: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a target is a pid, 'self', PID:FDS or a command name, not nothing".to_owned());
        }
        // A command's name may hold a colon, so what follows one must look like fd numbers.
        let (who, fds) = match text.rsplit_once(':') {
            Some((who, fds)) if fds.starts_with(|c: char| c.is_ascii_digit()) => {
                (who, Some(fds.parse::<FdRanges>()?))
            }
            Some((digits, "")) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(format!(
                    "'{text}' names no fds behind the colon: PID:FDS is such as {digits}:0,3-7"
                ));
            }
            Some((digits, "all")) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(format!("'{text}': all fds of a process are meant by its pid alone: {digits}"));
            }
            _ => (text, None),
        };
        let who =
            match who {
                "self" => Who::Own,
                digits if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() => {
                    Who::Pid(Pid(digits.parse().ok().filter(|&n| n > 0).ok_or_else(|| {
                        format!("'{digits}' is not a pid: pids are from 1 to {}", i32::MAX)
                    })?))
                }
                name => Who::Command(name.as_bytes().to_vec()),
            };
        Ok(Self { text: text.to_owned(), who, fds })
    }
}

impl Target {
    /// A target of any bytes: names of commands need not be UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.parse();
        }
        let behind = bytes.iter().rposition(|&b| b == b':').and_then(|colon| {
            let fds = std::str::from_utf8(&bytes[colon + 1..]).ok()?;
            fds.starts_with(|c: char| c.is_ascii_digit()).then_some((&bytes[..colon], fds))
        });
        let (name, fds) = match behind {
            Some((name, fds)) => (name, Some(fds.parse::<FdRanges>()?)),
            None => (bytes, None),
        };
        let text = escape(bytes, Escape::Table).into_owned();
        Ok(Self { text, who: Who::Command(name.to_vec()), fds })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a name, which several processes may have.
    pub fn is_name(&self) -> bool {
        matches!(self.who, Who::Command(_))
    }

    /// Whether it is fdscope itself.
    pub fn is_own(&self) -> bool {
        matches!(self.who, Who::Own)
    }
}

/// All pids, in ascending order. Where there is none it is no /proc, and an error.
pub fn all_pids(root: &ProcRoot) -> std::io::Result<Vec<Pid>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(root.path(), flags, Mode::empty())?;
    let mut pids = Vec::new();
    for entry in rustix::fs::Dir::new(dir)? {
        if let Ok(name) = entry?.file_name().to_str()
            && name.starts_with(|c: char| c.is_ascii_digit())
            && let Ok(pid) = name.parse()
        {
            pids.push(Pid(pid));
        }
    }
    if pids.is_empty() {
        return Err(std::io::Error::other("no process is to be seen there; is it a proc filesystem?"));
    }
    pids.sort_unstable();
    Ok(pids)
}

/// The processes that a target means: one for a number, all of that name for a name. A thread is none.
pub fn resolve(root: &ProcRoot, target: &Target) -> Result<Vec<Pid>, TargetError> {
    let process = |task| match task {
        Task::Process(pid) => Ok(pid),
        Task::Thread { tid, pid } => {
            Err(TargetError { target: target.text.clone(), reason: no_process(tid, pid) })
        }
    };
    resolve_tasks(root, target)?.into_iter().map(process).collect()
}

/// The same, where threads may be meant too.
pub fn resolve_tasks(root: &ProcRoot, target: &Target) -> Result<Vec<Task>, TargetError> {
    let error = |reason: String| TargetError { target: target.text.clone(), reason };
    match &target.who {
        Who::Own => match root.own() {
            Some(own) => Ok(vec![Task::Process(own)]),
            None => Err(error(format!("fdscope itself is not to be seen in {}", root.path().display()))),
        },
        Who::Pid(pid) => match task(root, *pid) {
            Some(task) => Ok(vec![task]),
            None if root.hides_processes() && is_there(*pid) => {
                Err(error(format!("process {pid} may not be seen: /proc is mounted with hidepid")))
            }
            None => Err(error(format!("no process has pid {pid}"))),
        },
        Who::Command(name) => {
            let pids =
                all_pids(root).map_err(|e| error(format!("cannot read {}: {e}", root.path().display())))?;
            let others = || pids.iter().copied().filter(|&pid| Some(pid) != root.own());
            let mut matching: Vec<Pid> = others().filter(|&pid| is_called(root, pid, name)).collect();
            if matching.is_empty() && name.contains(&b'\\') {
                matching = others().filter(|&pid| is_shown(root, pid, name)).collect();
            }
            if matching.is_empty() {
                let name = match std::str::from_utf8(name) {
                    Ok(name) => name.into(),
                    Err(_) => escape(name, Escape::Table),
                };
                let mut reason = format!(
                    "no process has the command name '{name}' (the whole name, as in /proc/PID/comm)"
                );
                if root.hides_processes() {
                    reason.push_str("; processes of others may not be seen: /proc is mounted with hidepid");
                }
                return Err(error(reason));
            }
            Ok(matching.into_iter().map(Task::Process).collect())
        }
    }
}

/// Whether there is such a task, whoever may see it: the kernel refuses what there is not otherwise than
/// what is another user's.
fn is_there(pid: Pid) -> bool {
    let pid = rustix::process::Pid::from_raw(pid.0);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

/// What is wrong with a thread where a process is meant.
pub fn no_process(tid: Pid, pid: Pid) -> String {
    format!("{tid} is a thread of process {pid}: name {pid}")
}

/// Whose id this is, if it is anybody's: `Tgid:` of `proc_pid_status(5)`.
pub fn task(root: &ProcRoot, id: Pid) -> Option<Task> {
    let dir = root.join(id.to_string());
    // There is a pidfd of a process, but none of a thread: it costs a fraction of what the file does.
    if root.is_native() && Donor::process(id).is_ok() && dir.is_dir() {
        return Some(Task::Process(id));
    }
    let mut status = Vec::new();
    let path = dir.join("status").into_c_str().ok()?.into_owned();
    if read_record_at(rustix::fs::CWD, &path, &mut status).is_err() {
        // It may just be not for us.
        return dir.is_dir().then_some(Task::Process(id));
    }
    let group = number(&status, b"Tgid:").map(|n| Pid(n as i32));
    Some(match group.filter(|&pid| pid != id) {
        Some(pid) => Task::Thread { tid: id, pid },
        None => Task::Process(id),
    })
}

/// `TASK_COMM_LEN`, less the NUL.
const COMM: usize = 15;

/// Whether a process has this command name. The kernel keeps 15 bytes of it: a longer one is
/// compared with the name of the program's file and of its first argument too.
fn is_called(root: &ProcRoot, pid: Pid, name: &[u8]) -> bool {
    let Some(comm) = command_of(root, pid) else { return false };
    if name.len() <= COMM {
        return comm == name;
    }
    if comm != name[..COMM] {
        return false;
    }
    let base = |path: &[u8]| path.rsplit(|&b| b == b'/').next().is_some_and(|b| b == name);
    std::fs::read(root.join(format!("{pid}/cmdline")))
        .is_ok_and(|line| base(line.split(|&b| b == 0).next().unwrap_or_default()))
        || std::fs::read_link(root.join(format!("{pid}/exe"))).is_ok_and(|p| base(p.as_os_str().as_bytes()))
}

/// Whether a process's command name is shown like this, in any output.
fn is_shown(root: &ProcRoot, pid: Pid, name: &[u8]) -> bool {
    command_of(root, pid).is_some_and(|comm| is_escaped(name, &comm))
}

#[cfg(test)]
mod tests {
    use super::{Target, Who};

    #[test]
    fn forms() {
        let target = |t: &str| t.parse::<Target>().unwrap();
        assert!(matches!(target("12").who, Who::Pid(p) if p.0 == 12));
        assert!(target("12:0,3-7").fds.is_some());
        assert!(target("self").is_own());
        assert!(matches!(target("nginx:3").who, Who::Command(n) if n == b"nginx"));
        assert!(matches!(target("a:b").who, Who::Command(n) if n == b"a:b"));
        assert!(matches!(target("x) (y").who, Who::Command(n) if n == b"x) (y"));
    }

    #[test]
    fn any_bytes() {
        let target = |bytes| Target::from_bytes(bytes).unwrap();
        assert!(matches!(target(b"\xff:x").who, Who::Command(n) if n == b"\xff:x"));
        let fds = target(b"\xff:3-5");
        assert_eq!(fds.text(), "\\xff:3-5");
        assert!(fds.fds.is_some() && matches!(fds.who, Who::Command(n) if n == b"\xff"));
        assert!(Target::from_bytes(b"\xff:3x").is_err());
        assert!(matches!(target(b"12").who, Who::Pid(_)));
    }

    #[test]
    fn refused() {
        for text in ["", "0", "12:", "99999999999", "12:3-", "12:7-3", "12:3x", "12:all"] {
            let parsed = text.parse::<Target>();
            assert_eq!(parsed.is_err(), text != "12:3-", "{text:?}");
        }
    }
}
