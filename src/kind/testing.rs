//! Decoding from fixtures, for the kinds' own tests.

use super::{Borrowed, FdInfo, FileStat, Lookup, NoLookup, Probe, claim};
use crate::model::{Assoc, Device, Fd, FdNum, Inode, Pid, Process, Socket, Value};
use std::sync::Arc;

/// What a test knows of an fd.
pub(crate) struct Fixture<'a> {
    pub(crate) link: &'a [u8],
    pub(crate) info: &'a [u8],
    pub(crate) stat: Option<FileStat>,
    pub(crate) socket: Option<&'a Socket>,
    pub(crate) borrowed: Borrowed,
    pub(crate) lookup: &'a dyn Lookup,
    pub(crate) filesystem: Option<&'a str>,
}

impl Default for Fixture<'_> {
    fn default() -> Self {
        Self {
            link: b"",
            info: b"",
            stat: None,
            socket: None,
            borrowed: Borrowed::default(),
            lookup: &NoLookup,
            filesystem: None,
        }
    }
}

/// The stat of a file of this type.
pub(crate) fn stat(file_type: u32, rdev: Device) -> Option<FileStat> {
    Some(FileStat {
        mode: file_type | 0o600,
        inode: Inode(1),
        device: Device { major: 0, minor: 1 },
        rdev,
        size: Some(4096),
        links: Some(1),
        mount: None,
    })
}

impl Fixture<'_> {
    /// Claims and decodes, as a collector would.
    pub(crate) fn decode(&self) -> Fd {
        let process = Arc::new(Process { pid: Pid(1), command: b"test".to_vec(), uid: 0, user: None });
        let probe = Probe {
            stat: self.stat,
            filesystem: self.filesystem,
            deleted: self.link.ends_with(b" (deleted)"),
            socket: self.socket,
            info: FdInfo::parse(self.info),
            borrowed: self.borrowed,
            values: true,
            ..Probe::new(Some(FdNum(3)), self.link, self.lookup)
        };
        let kind = claim(&probe);
        let mut fd = Fd::new(process);
        fd.reset(Assoc::Fd(FdNum(3)));
        fd.kind = kind.name.into();
        fd.object = kind.object;
        fd.access = probe.info.flags.map(crate::model::OpenFlags::access);
        (kind.decode)(&probe, &mut fd);
        for (key, _) in &fd.values {
            assert!(
                kind.fields.iter().any(|f| f.name == format!("{}.{key}", kind.object)),
                "{}.{key} is not declared",
                kind.object
            );
        }
        fd
    }
}

/// The name as text.
pub(crate) fn name(fd: &Fd) -> &str {
    std::str::from_utf8(&fd.name).unwrap()
}

/// The value of an own field.
pub(crate) fn value<'a>(fd: &'a Fd, key: &str) -> &'a Value {
    match fd.values.iter().find(|(k, _)| *k == key) {
        Some((_, value)) => value,
        None => panic!("no field {key} in {:?}", fd.values),
    }
}
