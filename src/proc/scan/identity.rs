//! What tells which description an fd may be, and nothing more: one call for most fds.

use super::{Output, Place, Scanner, Told};
use crate::kind::Shape;
use crate::model::{Assoc, FdNum};
use crate::proc::io::{NumberName, readlink_at};

impl Scanner<'_> {
    /// Emits the fd's row with its link, and with device and inode of a path.
    pub(super) fn identity(&mut self, place: &Place<'_>, fd: FdNum, told: Told<'_>, out: &mut Output<'_>) {
        let name = NumberName::new(fd.0);
        let name = name.as_c_str();
        out.row.reset(Assoc::Fd(fd));
        if let Told::All(known) = told {
            let is_path = matches!(Shape::of(known.link), Shape::Path(_));
            let now = || place.lookup.stat(fd, name).ok()?.0.filter(|stat| known.is(stat));
            let stat = known.stat().or_else(|| is_path.then(now).flatten());
            if stat.is_some() || !is_path {
                out.row.link.extend_from_slice(known.link);
                if let Some(stat) = stat.filter(|_| is_path) {
                    (out.row.device, out.row.inode) = (Some(stat.device), Some(stat.inode));
                }
                return out.emit();
            }
        }
        let is_read = matches!(told, Told::Link);
        if !is_read && let Err(errno) = readlink_at(place.lookup.fds, name, &mut self.link) {
            self.failed("readlink", errno, place.lookup.dir, || None, out);
            return;
        }
        out.row.link.extend_from_slice(&self.link);
        if let Shape::Path(_) = Shape::of(&self.link) {
            match place.lookup.stat(fd, name) {
                Ok((stat, _)) => {
                    out.row.device = stat.map(|s| s.device);
                    out.row.inode = stat.map(|s| s.inode);
                }
                // The link still tells something.
                Err(errno) => return self.failed("statx", errno, place.lookup.dir, || None, out),
            }
        }
        out.emit();
    }
}
