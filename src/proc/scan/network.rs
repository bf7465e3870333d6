//! The network namespace of a socket.

use super::{Place, Scanner};
use crate::kind::Probe;
use crate::model::{Fd, FdNum, Network};
use crate::proc::plan::Networks;
use std::sync::Arc;

impl Scanner<'_> {
    /// Fills in the network namespace, where that is asked for. It is that of the process where its
    /// tables list the socket; otherwise the socket itself is asked, which takes the right to.
    pub(super) fn network(&self, place: &Place<'_>, fd: FdNum, probe: &Probe<'_>, row: &mut Fd) {
        let (Some(wanted), Some(socket)) = (self.plan.networks, probe.socket) else { return };
        let id = match socket.is_listed() {
            true => place.lookup.dir.network(),
            false => place.lender.network(fd, socket.inode),
        };
        let named = id.filter(|_| wanted == Networks::Names).and_then(|id| self.system.network(id));
        row.network = Some(named.unwrap_or_else(|| Arc::new(Network { id, name: None, own: false })));
    }
}
