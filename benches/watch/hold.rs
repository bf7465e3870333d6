//! A process that does nothing with its sockets.

use crate::Result;
use rustix::process::{PTracer, set_ptracer};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

/// A holder that runs. It ends when it is dropped, and should this program die, for then its stdin
/// ends.
pub(crate) struct Holder(Child);

impl Holder {
    /// Starts one with so many sockets, all or none of which have something to read.
    pub(crate) fn start(number: usize, full: bool) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let full = if full { "full" } else { "empty" };
        command.args(["--hold", &number.to_string(), full]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut ready = [0];
        // Held from here on: the child must not see its stdout end.
        child.stdout.as_mut().ok_or("no stdout")?.read_exact(&mut ready)?;
        Ok(Self(child))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What that process does, until its stdin ends.
pub(crate) fn hold(number: &str, full: bool) -> Result<()> {
    // Where Yama forbids others to look, it asks for leave. It is not always there.
    let _ = set_ptracer(PTracer::Any);
    let number: usize = number.parse()?;
    let mut held = Vec::with_capacity(number);
    while held.len() < number {
        let (mut one, mut other) = UnixStream::pair()?;
        if full {
            one.write_all(b"!")?;
            other.write_all(b"!")?;
        }
        held.extend([one, other]);
    }
    io::stdout().write_all(b"!")?;
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
