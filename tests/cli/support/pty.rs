//! Running fdscope on a terminal.

use super::Fdscope;
use rustix::pty::OpenptFlags;
use std::io::Read as _;
use std::process::Stdio;

/// What fdscope writes to a terminal, and its status. Line ends are as the terminal makes them:
/// `\r\n`.
pub(crate) fn run_on_terminal(fdscope: Fdscope) -> (String, Option<i32>) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
    rustix::pty::grantpt(&master).expect("grantpt");
    rustix::pty::unlockpt(&master).expect("unlockpt");
    let name = rustix::pty::ptsname(&master, Vec::new()).expect("ptsname");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).expect("the other side");
    let mut child = None;
    // The command keeps the slave open until it is dropped.
    let fdscope = fdscope.with(|command| {
        command.stdout(Stdio::from(slave));
        child = Some(command.spawn().expect("fdscope can be run"));
    });
    drop(fdscope);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let mut master = std::fs::File::from(master);
    // The last slave's close makes it EIO.
    while let Ok(n @ 1..) = master.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..n]);
    }
    let status = child.expect("it was started").wait().expect("it is our child");
    (String::from_utf8(bytes).expect("output is UTF-8"), status.code())
}
