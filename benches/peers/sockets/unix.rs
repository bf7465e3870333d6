//! Holders of unix stream sockets, in pairs.

use super::socket::{Tell, hold};
use crate::Result;
use crate::holder::Holder;
use std::os::unix::net::UnixStream;

/// Starts `processes` holders of `pairs` pairs each.
pub(super) fn start(processes: usize, pairs: usize) -> Result<Vec<Holder>> {
    (0..processes).map(|_| Holder::start(&["--unix", &pairs.to_string()])).collect()
}

/// What such a holder does.
pub(crate) fn pair(pairs: &str) -> Result<()> {
    let pairs: Vec<_> =
        (0..pairs.parse::<usize>()?).map(|_| UnixStream::pair()).collect::<std::io::Result<_>>()?;
    hold(pairs.iter().flat_map(|(one, other)| [one as &dyn Tell, other as &dyn Tell]))
}
