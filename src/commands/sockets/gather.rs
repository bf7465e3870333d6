//! What is there: the sockets of all network namespaces, and who holds them.

use super::{owners, unread};
use crate::commands::rlimit::allow_fds;
use crate::context::Context;
use crate::error::Error;
use crate::model::{Family, Holder, Inode, Socket, Tally};
use crate::proc::{Network, Place, Swept, System, socket_holders};
use crate::sock::{Net, Request};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// What has to be read.
pub(super) struct Wanted {
    pub(super) request: Request,
    /// Whether the user has named the namespaces.
    pub(super) named: bool,
    /// Whether the user has named the families.
    pub(super) named_families: bool,
    /// Whether owners are asked for.
    pub(super) owners: bool,
    /// Whether only those of these sockets are: not what other sockets' other ends are held by.
    pub(super) owners_of_these: bool,
}

/// All that was read.
pub(super) struct Data {
    /// The namespaces.
    pub(super) networks: Vec<Arc<Network>>,
    /// Whether the sockets of each are asked for, or matter only as others' other ends.
    pub(super) meant: Vec<bool>,
    /// The sockets of each.
    pub(super) sockets: Vec<Vec<Socket>>,
    /// The interfaces of each that sockets are bound to, by index.
    interfaces: Vec<Vec<(u32, String)>>,
    /// The families of each that were read from tables, which tell less.
    from_tables: Vec<Vec<Family>>,
    pub(super) owners: Option<Swept<Inode>>,
    /// Namespaces of which something could not be read.
    pub(super) unread: u64,
    pub(super) tally: Tally,
}

impl Data {
    /// The fds that hold a socket.
    pub(super) fn owners(&self, inode: Inode) -> &[Holder] {
        self.held(&self.range(inode))
    }

    /// Which of all owners hold a socket: to be asked for once, and used again.
    pub(super) fn range(&self, inode: Inode) -> Range<usize> {
        match &self.owners {
            Some(owners) if inode != Inode(0) => owners.range(&inode),
            _ => 0..0,
        }
    }

    /// The owners that [`Self::range`] gave.
    pub(super) fn held(&self, range: &Range<usize>) -> &[Holder] {
        self.owners.as_ref().map_or(&[], |owners| owners.at(range))
    }

    /// The name of an interface of a namespace.
    pub(super) fn interface(&self, place: usize, index: u32) -> Option<&str> {
        self.interfaces[place].iter().find(|(i, _)| *i == index).map(|(_, name)| name.as_str())
    }

    /// Whether there may be owners who could not be seen.
    pub(super) fn may_hide_owners(&self) -> bool {
        self.owners.as_ref().is_none_or(|owners| owners.tally.denied > 0 || owners.hides_processes)
    }

    /// Whether a family was read from a table.
    pub(super) fn is_from_table(&self, place: usize, family: Family) -> bool {
        self.from_tables[place].contains(&family)
    }
}

/// Reads it all, and gives the namespaces too, still open. Each comes with whether it is meant.
pub(super) fn gather(
    places: &[(Place, bool)],
    wanted: &Wanted,
    system: &System,
    context: &Context,
) -> Result<(Data, Vec<Net>), Error> {
    // Each namespace that is entered is an fd of ours: there may be more of them than a process usually has.
    allow_fds(places.len() as u64 + 64);
    if !wanted.owners {
        return Ok(list(places, wanted, system, context));
    }
    if wanted.owners_of_these {
        let (mut data, mut nets) = list(places, wanted, system, context);
        let only = data.sockets.iter().flatten().map(|socket| socket.inode).collect();
        let owners = socket_holders(system, Some(&only));
        owners::fill(&mut data, &mut nets, owners, wanted, system, context)?;
        return Ok((data, nets));
    }
    // All fds are looked at while the kernel lists the sockets, which one thread alone can have it do.
    std::thread::scope(|scope| {
        let sweep = std::thread::Builder::new().spawn_scoped(scope, || socket_holders(system, None));
        let (mut data, mut nets) = list(places, wanted, system, context);
        let owners = match sweep {
            Ok(sweep) => sweep.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => socket_holders(system, None),
        };
        owners::fill(&mut data, &mut nets, owners, wanted, system, context)?;
        Ok((data, nets))
    })
}

/// The sockets of all namespaces.
fn list(places: &[(Place, bool)], wanted: &Wanted, system: &System, context: &Context) -> (Data, Vec<Net>) {
    let mut data = Data {
        networks: Vec::new(),
        meant: Vec::new(),
        sockets: Vec::new(),
        interfaces: Vec::new(),
        from_tables: Vec::new(),
        owners: None,
        unread: 0,
        tally: Tally::default(),
    };
    let mut nets = Vec::new();
    let mut refused = Vec::new();
    let mut unlisted: Vec<Family> = Vec::new();
    for (place, meant) in places {
        let Some(mut net) = place.open() else {
            if *meant {
                data.tally.vanished += 1;
                unread::tell_gone(&place.network, wanted, &mut data, context);
            }
            continue;
        };
        let found = net.sockets(&wanted.request);
        if *meant {
            unlisted.extend(&found.unlisted);
            unread::tell_unread(&place.network, &found, wanted, &mut data, context);
            // That this kernel has no netlink for a family is no news; that a namespace may not be
            // entered is.
            let by_tables = found.unread.is_empty() && system.root().is_native();
            // Where not even the way in may be opened, there is no errno.
            let errno = |e: &io::Error| e.raw_os_error().unwrap_or(libc::EPERM);
            refused.extend(net.refusal().filter(|_| by_tables).map(errno));
        }
        data.networks.push(Arc::clone(&place.network));
        data.meant.push(*meant);
        data.interfaces.push(interfaces(&net, &found.sockets));
        data.sockets.push(found.sockets);
        data.from_tables.push(found.from_tables);
        nets.push(net);
    }
    if wanted.named_families {
        unread::tell_unlisted(&unlisted, wanted, context);
    }
    unread::tell_refused(&refused, context);
    (data, nets)
}

/// The names of the interfaces that any of the sockets is bound to.
fn interfaces(net: &Net, sockets: &[Socket]) -> Vec<(u32, String)> {
    let mut indexes: Vec<u32> = sockets.iter().filter_map(|s| s.interface).filter(|&i| i != 0).collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.into_iter().filter_map(|index| Some((index, net.interface(index)?))).collect()
}
