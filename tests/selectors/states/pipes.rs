//! Pipes and FIFOs.

use super::{Made, State};
use crate::support::{fill, pipe, write};
use rustix::fs::{Mode, OFlags, open};

pub(crate) fn empty() -> Made {
    let (reader, writer) = pipe();
    Ok(State::new(reader).and(writer))
}

pub(crate) fn data() -> Made {
    let (reader, writer) = pipe();
    write(&writer, b"x");
    Ok(State::new(reader).and(writer))
}

pub(crate) fn data_and_writer_gone() -> Made {
    let (reader, writer) = pipe();
    write(&writer, b"x");
    Ok(State::new(reader))
}

pub(crate) fn writer_gone() -> Made {
    Ok(State::new(pipe().0))
}

pub(crate) fn room() -> Made {
    let (reader, writer) = pipe();
    Ok(State::new(writer).and(reader))
}

pub(crate) fn full() -> Made {
    let (reader, writer) = pipe();
    fill(&writer);
    Ok(State::new(writer).and(reader))
}

pub(crate) fn reader_gone() -> Made {
    Ok(State::new(pipe().1))
}

pub(crate) fn full_and_reader_gone() -> Made {
    let (_reader, writer) = pipe();
    fill(&writer);
    Ok(State::new(writer))
}

pub(crate) fn fifo_never_a_writer() -> Made {
    fifo(false)
}

pub(crate) fn fifo_writer_left() -> Made {
    fifo(true)
}

fn fifo(with_writer: bool) -> Made {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
    let reader = open(&path, OFlags::RDONLY | flags, Mode::empty()).expect("its read end");
    if with_writer {
        drop(open(&path, OFlags::WRONLY | flags, Mode::empty()).expect("its write end"));
    }
    Ok(State::new(reader).and(dir))
}
