//! Processes that serve a connection each, as their standard input and output.

use super::accept::Connection;
use super::socket_address::SocketAddress;
use crate::model::Pid;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The children that serve connections.
pub struct Children {
    program: OsString,
    arguments: Vec<OsString>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    pids: HashSet<Pid>,
    /// Whether all were told to end, so that none may follow.
    is_over: bool,
}

impl Children {
    /// Children that run a program.
    pub fn new(program: OsString, arguments: Vec<OsString>) -> Self {
        Self { program, arguments, running: Mutex::default() }
    }

    /// Starts a child for a connection. Ours is a duplicate, and closed when this returns and the
    /// caller has dropped his. Starts none after [`Children::terminate`].
    pub(super) fn start(&self, connection: &Connection) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::from(connection.socket.try_clone()?))
            .stdout(Stdio::from(connection.socket.try_clone()?));
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] {
            command.env_remove(name);
        }
        // As systemd.socket(5) names them.
        if let Some(SocketAddress::Inet(peer)) = &connection.peer {
            command.env("REMOTE_ADDR", peer.ip().to_string()).env("REMOTE_PORT", peer.port().to_string());
        }
        // Until it is entered, nobody may reap it.
        let mut running = self.running();
        if running.is_over {
            return Ok(());
        }
        let child = command.spawn()?;
        running.pids.insert(Pid(child.id() as i32));
        Ok(())
    }

    /// Reaps those that have ended, and gives their number.
    pub fn reap(&self) -> usize {
        let mut running = self.running();
        let mut ended = 0;
        while let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) =
            waitpid(None, Some(WaitPidFlag::WNOHANG))
        {
            ended += usize::from(running.pids.remove(&Pid(pid.as_raw())));
        }
        ended
    }

    /// Tells those that still run to end, for good.
    pub fn terminate(&self) {
        let mut running = self.running();
        running.is_over = true;
        for pid in &running.pids {
            let _ = kill(nix::unistd::Pid::from_raw(pid.0), Signal::SIGTERM);
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Children, Connection};
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn none_is_started_once_all_were_told_to_end() {
        let children = Children::new("/bin/sh".into(), vec!["-c".into(), "echo started".into()]);
        children.terminate();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let connection = Connection { socket: ours.into(), peer: None, peer_pid: None, waited: None };
        children.start(&connection).unwrap();
        drop(connection);
        let mut said = String::new();
        theirs.read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
    }
}
