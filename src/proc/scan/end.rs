//! Who is at the other end of an fd.

use super::{Place, Scanner};
use crate::kind::{Kind, Probe};
use crate::model::{Fd, FdNum};
use crate::proc::peers::Asked;

impl Scanner<'_> {
    /// Fills in the other end, where that is asked for and there is one.
    pub(super) fn other_end(
        &self,
        place: &Place<'_>,
        fd: FdNum,
        kind: &'static Kind,
        probe: &Probe<'_>,
        row: &mut Fd,
    ) {
        let Some(finder) = &self.system.peers else { return };
        let Some(tie) = (kind.tie)(probe) else { return };
        let asked = Asked { pid: place.lookup.dir.pid(), fd, tie, access: row.access };
        let poll = || place.lender.poll(fd, row.inode);
        let Some(peers) = finder.find(self.system, asked, poll) else { return };
        if self.plan.peers_in_name {
            let remote = probe.socket.and_then(|socket| socket.remote);
            // Of what goes to another machine nobody expects it to be known, and that the other end
            // has closed is told already.
            let is_far = remote.is_some_and(|remote| !remote.0.ip().to_canonical().is_loopback());
            let has_closed = probe.socket.is_some_and(|socket| socket.lost_its_peer());
            if !(is_far && peers.holders.is_none() && !peers.waiting || has_closed) {
                peers.describe(tie.joint(row.access), &mut row.name);
            }
        }
        row.tie = Some(tie);
        row.peers = Some(peers);
    }
}
