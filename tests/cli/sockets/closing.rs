//! `--close`.

use super::sockets;
use crate::support::Run;

/// Closes what is selected.
pub(super) fn run(arguments: &str) -> Run {
    sockets(format!("--close --yes {arguments}")).run()
}
