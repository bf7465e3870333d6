//! Reading what comes on our own fds, so that they become clear again.

use rustix::fd::BorrowedFd;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::io::{self, IoSliceMut, Write};

/// How much is read of one fd before others have their turn, in bytes.
const TURN: u64 = 1 << 20;

/// How reading went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// There may be more.
    Some(u64),
    /// There is no more for now.
    Dry(u64),
    /// Nothing will ever come again.
    End(u64),
}

/// Reads what there is, without waiting, and gives it to `tee` if there is one.
pub(super) fn drain(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    mut tee: Option<&mut dyn Write>,
) -> io::Result<Drained> {
    let mut total = 0;
    while total < TURN {
        let read = match read(fd, buffer) {
            Ok(0) => return Ok(Drained::End(total)),
            Ok(read) => read,
            Err(Errno::AGAIN) => return Ok(Drained::Dry(total)),
            Err(Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        };
        total += read as u64;
        if let Some(out) = &mut tee {
            out.write_all(&buffer[..read])?;
        }
    }
    Ok(Drained::Some(total))
}

/// A read that does not wait, whatever the flags of the description are: they may be shared.
fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    let at_position = u64::MAX;
    match preadv2(fd, &mut [IoSliceMut::new(buffer)], at_position, ReadWriteFlags::NOWAIT) {
        // A file that knows no such reads, and was ready.
        Err(Errno::OPNOTSUPP) => rustix::io::read(fd, buffer),
        result => result,
    }
}
