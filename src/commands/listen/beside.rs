//! A command that serves on the listeners, and that we stay beside.

use super::event::What;
use crate::listener::Listener;
use crate::model::Pid;
use crate::sys;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

/// The command that runs.
pub(super) struct Beside {
    pid: Pid,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ended {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Signalled(Signal),
}

/// Puts the fd numbers of the listeners in the place of `{}`: each time the next one's, if there
/// are several.
pub(super) fn with_numbers(words: &[OsString], listeners: usize) -> Result<Vec<OsString>, String> {
    let first = sys::FIRST_PASSED.0;
    let mut used = 0;
    let mut replaced = Vec::with_capacity(words.len());
    for word in words {
        let mut new = Vec::new();
        let mut rest = word.as_bytes();
        while let Some(at) = rest.windows(2).position(|w| w == b"{}") {
            let which = if listeners == 1 { 0 } else { used };
            if which >= listeners {
                return Err(format!("there are {listeners} listeners, and more {{}} than that in COMMAND"));
            }
            new.extend_from_slice(&rest[..at]);
            new.extend_from_slice((first + which as i32).to_string().as_bytes());
            rest = &rest[at + 2..];
            used += 1;
        }
        new.extend_from_slice(rest);
        replaced.push(OsString::from_vec(new));
    }
    Ok(replaced)
}

impl Beside {
    /// Starts a command with the listeners, which are placed where it looks for them.
    pub(super) fn start(words: &[OsString], listeners: &[Listener]) -> io::Result<Self> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let names: Vec<&[u8]> = listeners.iter().map(|l| l.name.as_deref().unwrap_or(b"unknown")).collect();
        sys::pass_listeners(&mut command, listeners.len(), OsStr::from_bytes(&names.join(&b':')));
        let child = command.spawn()?;
        Ok(Self { pid: Pid(child.id() as i32) })
    }

    /// The event of its start.
    pub(super) fn started(&self, program: &OsStr) -> What {
        What::Started { pid: self.pid, command: program.as_bytes().to_vec() }
    }

    /// The event of its end.
    pub(super) fn exited(&self, ended: Ended) -> What {
        match ended {
            Ended::Exited(status) => What::Exited { pid: self.pid, status: Some(status), signal: None },
            Ended::Signalled(signal) => {
                What::Exited { pid: self.pid, status: None, signal: Some(signal.as_str()) }
            }
        }
    }

    /// How it ended, if it has.
    pub(super) fn reap(&self) -> Option<Ended> {
        match waitpid(self.raw(), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => Some(Ended::Exited(status)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(Ended::Signalled(signal)),
            _ => None,
        }
    }

    /// Sends it a signal. It is not reaped yet, so its pid is nobody else's.
    pub(super) fn forward(&self, signal: Signal) {
        let _ = kill(self.raw(), signal);
    }

    fn raw(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.pid.0)
    }
}

impl Ended {
    /// The exit status that says so, as a shell has it.
    pub(super) fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status as u8,
            Self::Signalled(signal) => 128 + signal as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::with_numbers;
    use std::ffi::OsString;

    fn replaced(words: &[&str], listeners: usize) -> Result<Vec<String>, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let new = with_numbers(&words, listeners)?;
        Ok(new.into_iter().map(|w| w.into_string().unwrap()).collect())
    }

    #[test]
    fn numbers_of_fds() {
        assert_eq!(replaced(&["a", "--fd={}", "{}"], 1).unwrap(), ["a", "--fd=3", "3"]);
        assert_eq!(replaced(&["a", "{}-{}"], 2).unwrap(), ["a", "3-4"]);
        assert_eq!(replaced(&["a", "b{", "}"], 1).unwrap(), ["a", "b{", "}"]);
        assert!(replaced(&["{}", "{}", "{}"], 2).unwrap_err().contains("2 listeners"));
    }
}
