//! A server in processes of its own.

use super::load::Load;
use crate::commands::listen::{Model, own_program};
use crate::model::Pid;
use crate::proc::{Parents, ProcRoot};
use crate::sys;
use nix::sys::signal::{Signal, kill};
use rustix::net::listen;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long each step of the end may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// `fdscope listen`, which ends when this is dropped, or when we end.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    root: ProcRoot,
}

impl Server {
    /// Starts a server. Connections can be made at once: its listener is there before it is.
    pub(super) fn start(model: Model, load: Load, root: &ProcRoot) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // As many as may wait: net.core.somaxconn.
        listen(&listener, -1)?;
        let address = listener.local_addr()?;
        let mut command = Command::new(own_program());
        command.args(["listen", "--quiet", "--fd", "0", "--output", "/dev/null"]);
        // Its gauge is not what is measured.
        command.args(["--interval", "1h", "--serve", load.service(), "--model", model.name()]);
        if model == Model::EventLoop {
            command.arg("--nonblocking");
        }
        command.stdin(OwnedFd::from(listener)).stdout(Stdio::null());
        // What a terminal sends is for us, who end it in order.
        command.process_group(0);
        sys::end_with_us(&mut command);
        Ok(Self { child: command.spawn()?, address, root: root.clone() })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its processes, itself first.
    pub(super) fn family(&self) -> Vec<Pid> {
        Parents::read(&self.root).family(Pid(self.child.id() as i32))
    }

    /// How it has ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    fn within(&mut self, time: Duration, is_over: impl Fn(&mut Self) -> bool) -> bool {
        let end = Instant::now() + time;
        while !is_over(self) {
            if Instant::now() > end {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Drop for Server {
    /// Its connections must be closed already: processes that serve one end with it, and it has
    /// waited for them before it ends itself.
    fn drop(&mut self) {
        self.within(PATIENCE, |server| server.ended().is_some() || server.family().len() <= 1);
        if self.ended().is_none() {
            // It is not reaped, so that its pid is nobody else's.
            let _ = kill(nix::unistd::Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        }
        if !self.within(PATIENCE, |server| server.ended().is_some()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
