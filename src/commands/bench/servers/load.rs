//! What the clients do.

use clap::ValueEnum;

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Load {
    /// Ask again and again over connections that are kept, and get the same back
    Echo,
    /// The same, with a new connection for each request
    Connect,
    /// As echo, but some requests have to be computed
    Compute,
}

impl Load {
    /// Its name on the command line and in output.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Connect => "connect",
            Self::Compute => "compute",
        }
    }

    /// The service of `fdscope listen` that it is for.
    pub(super) fn service(self) -> &'static str {
        if self == Self::Compute { "compute" } else { "echo" }
    }
}
