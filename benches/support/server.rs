//! A server that runs: how it is started, found and ended.

use crate::{Result, child, usage};
use fdscope::sock::Diag;
use std::fs;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Where standard output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Null,
    /// To somebody who reads it.
    Pipe,
}

/// A process that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    reader: Option<JoinHandle<io::Result<()>>>,
}

/// How long a start, or an end, may take.
const PATIENCE: Duration = Duration::from_secs(20);

impl Running {
    pub(crate) fn start(words: &[String], output: Output) -> Result<Self> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(if output == Output::Pipe { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().map_err(|e| format!("{}: {e}", words[0]))?;
        let reader = child.stdout.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while pipe.read(&mut buffer)? > 0 {}
                Ok(())
            })
        });
        Ok(Self { child, reader })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, once it does: it, or a child of its own.
    pub(crate) fn address(&mut self) -> Result<SocketAddr> {
        let end = Instant::now() + PATIENCE;
        let mut diag = Diag::open()?;
        loop {
            let held: Vec<String> =
                usage::tree(self.pid()).into_iter().flat_map(|pid| links(pid).unwrap_or_default()).collect();
            for listener in diag.tcp_listeners()? {
                if held.contains(&format!("socket:[{}]", listener.inode.0))
                    && let Some(local) = listener.local
                {
                    return Ok(local.0);
                }
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("it ended: {status}").into());
            }
            if Instant::now() > end {
                return Err("it does not listen".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn links(pid: u32) -> io::Result<Vec<String>> {
    let links = fs::read_dir(format!("/proc/{pid}/fd"))?.flatten().flat_map(|e| fs::read_link(e.path()));
    Ok(links.filter_map(|link| link.into_os_string().into_string().ok()).collect())
}

impl Drop for Running {
    fn drop(&mut self) {
        child::end(&mut self.child, PATIENCE);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A port for a server that cannot choose one. Somebody else may take it first: then its start
/// fails.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
