//! A process of a load: it opens what it is told to, says so, and holds it.

use crate::Result;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A holder that runs. It ends when it is dropped, and should this program die, for then its stdin
/// ends.
pub(crate) struct Holder {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Holder {
    /// Starts this program in another part that it plays.
    pub(crate) fn start(part: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(part).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Self { child, lines })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line)? {
            0 => Err("a process of the load did not get ready".into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What a holder does last: it waits for the end of stdin.
pub(crate) fn wait() -> Result<()> {
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
