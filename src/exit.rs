//! Exit statuses: the only place that turns an outcome into one.

use crate::error::{Error, Outcome};
use crate::model::neutralise;
use crate::sys;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

/// The status of a command, and whether its error still has to be told.
pub fn status(result: &Result<Outcome, Error>) -> u8 {
    match result {
        Ok(Outcome::Met) => 0,
        Ok(Outcome::NotMet) => 1,
        Ok(Outcome::TimedOut) => 124,
        Ok(Outcome::Status(status)) => *status,
        // Where the signal itself does not do it: as a shell has it.
        Ok(Outcome::Signalled(signal)) => 128 + *signal as u8,
        Err(Error::Output(e)) if e.kind() == ErrorKind::BrokenPipe => 0,
        Err(Error::Usage(_) | Error::Output(_)) => 2,
        Err(Error::Target | Error::Refused(_) | Error::Io(..)) => 3,
    }
}

/// Tells the error, unless that was done or nobody wants to know, and gives the status.
pub fn end(result: &Result<Outcome, Error>) -> ExitCode {
    match result {
        Ok(Outcome::Signalled(signal)) => sys::die_by(*signal),
        Err(Error::Output(e)) if e.kind() == ErrorKind::BrokenPipe => {}
        Err(Error::Target) | Ok(_) => {}
        Err(e) => drop(writeln!(io::stderr(), "fdscope: {}", neutralise(&e.to_string()))),
    }
    ExitCode::from(status(result))
}

/// Tells what is wrong with a command line, or prints the help that was asked for.
pub fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr()
        && let Err(error) = sys::check_stdout()
    {
        return end(&Err(Error::Output(error)));
    }
    match error.print() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => end(&Err(Error::Output(e))),
        _ => ExitCode::from(error.exit_code() as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Outcome, status};
    use std::io;

    #[test]
    fn every_outcome_has_its_status() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(status(&Ok(Outcome::Met)), 0);
        assert_eq!(status(&Ok(Outcome::NotMet)), 1);
        assert_eq!(status(&Ok(Outcome::TimedOut)), 124);
        assert_eq!(status(&Ok(Outcome::Status(7))), 7);
        assert_eq!(status(&Ok(Outcome::Signalled(15))), 143);
        assert_eq!(status(&Err(Error::Output(broken()))), 0);
        assert_eq!(status(&Err(Error::Output(full()))), 2);
        assert_eq!(status(&Err(Error::Usage(String::new()))), 2);
        assert_eq!(status(&Err(Error::Target)), 3);
        assert_eq!(status(&Err(Error::Refused(String::new()))), 3);
        assert_eq!(status(&Err(Error::Io(String::new(), full()))), 3);
    }
}
