//! Who holds the sockets.

use super::gather::{Data, Wanted};
use crate::context::Context;
use crate::error::Error;
use crate::model::{Family, Inode, Socket, errno_words, quantity};
use crate::proc::{Failures, Swept, System, socket_holders};
use crate::sock::{Net, Request, States};
use std::collections::HashSet;
use std::io;

/// Fills in the fds that hold the sockets, and takes away sockets that were closed meanwhile.
pub(super) fn fill(
    data: &mut Data,
    nets: &mut [Net],
    owners: io::Result<Swept<Inode>>,
    wanted: &Wanted,
    system: &System,
    context: &Context,
) -> Result<(), Error> {
    let failed = |e| Error::Io(system.root().path().display().to_string(), e);
    let mut owners = owners.map_err(failed)?;
    for (errno, Failures { processes, fds }) in &owners.failures {
        let told = [(processes, "process", "processes"), (fds, "fd", "fds")]
            .into_iter()
            .filter(|(count, ..)| **count > 0)
            .map(|(count, one, many)| quantity(*count as usize, one, many));
        let told = told.collect::<Vec<_>>().join(" and ");
        let why = match *errno {
            libc::EACCES | libc::EPERM => "permission denied".to_owned(),
            errno => errno_words(errno),
        };
        context.note(&format!("{told} could not be read: {why}; what they hold has '?' for an owner"));
    }
    data.tally.add(owners.tally);
    data.tally.vanished += drop_closed(&mut data.sockets, nets, &owners, wanted);
    // Of those that are left, one may have gone from a process that was not looked at yet to one
    // that was, or to a child that was not there. Where not all may be seen, nothing is said of them.
    let left: HashSet<Inode> = unheld(data.sockets.iter().flatten(), &owners).map(|s| s.inode).collect();
    let meant = data.sockets.iter().zip(&data.meant).filter(|(_, meant)| **meant);
    if owners.hides_processes && unheld(meant.flat_map(|(s, _)| s), &owners).next().is_some() {
        context.note(
            "processes outside this pid namespace, or that hidepid of /proc hides, are not seen; what they hold has '?' for an owner",
        );
    } else if !left.is_empty() && !owners.hides_processes && owners.tally.denied == 0 {
        owners.merge(socket_holders(system, Some(&left)).map_err(failed)?);
        data.tally.vanished += drop_closed(&mut data.sockets, nets, &owners, wanted);
    }
    data.owners = Some(owners);
    Ok(())
}

/// Those that a file belongs to and nobody was seen to hold.
fn unheld<'s>(
    sockets: impl IntoIterator<Item = &'s Socket>,
    owners: &Swept<Inode>,
) -> impl Iterator<Item = &'s Socket> {
    sockets.into_iter().filter(|s| s.inode != Inode(0) && !s.is_kernels() && owners.of(&s.inode).is_empty())
}

/// Takes away those that nobody holds because they were closed since they were listed; how many
/// that were.
fn drop_closed(sockets: &mut [Vec<Socket>], nets: &mut [Net], owners: &Swept<Inode>, wanted: &Wanted) -> u64 {
    let mut gone = 0;
    for (net, sockets) in nets.iter_mut().zip(sockets) {
        let mut families: Vec<Family> = unheld(&*sockets, owners).map(|s| s.family).collect();
        families.dedup();
        if families.is_empty() {
            continue;
        }
        let request = Request { families, states: States::ALL, detail: false, ..wanted.request.clone() };
        let again = net.sockets(&request);
        if !again.unread.is_empty() {
            continue;
        }
        let still: HashSet<Inode> = again.sockets.iter().map(|s| s.inode).collect();
        let lost: HashSet<Inode> =
            unheld(&*sockets, owners).map(|s| s.inode).filter(|inode| !still.contains(inode)).collect();
        sockets.retain(|s| !lost.contains(&s.inode));
        gone += lost.len() as u64;
    }
    gone
}
