//! How a command ends: what it found, or everything that ends it early, in one enum.

use std::fmt;
use std::io;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something matched, or the condition was met.
    Met,
    /// Nothing matched, or the condition was not met.
    NotMet,
    /// The time that the user gave ran out.
    TimedOut,
    /// A command that was run ended with this status.
    Status(u8),
    /// A signal ended it; the output is complete.
    Signalled(i32),
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// The command line makes no sense; `hint` says what would.
    Usage(String),
    /// A target does not exist, ended, or may not be read. Each was told of when it was met.
    Target,
    /// Nothing could be written to stdout.
    Output(io::Error),
    /// The system refused something that the user asked for.
    Refused(String),
    /// Something of the system could not be read.
    Io(String, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Refused(text) => f.write_str(text),
            Self::Target => f.write_str("a target could not be read"),
            Self::Output(e) => write!(f, "cannot write the output: {e}"),
            Self::Io(what, e) => write!(f, "cannot read {what}: {e}"),
        }
    }
}

impl std::error::Error for Error {}
