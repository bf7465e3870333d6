//! What is there: the sockets of all network namespaces, and who holds them.

use super::pattern::listed;
use crate::context::Context;
use crate::error::Error;
use crate::model::{Family, Holder, Inode, Socket, Tally, quantity};
use crate::proc::{Network, Place, Swept, System, socket_holders};
use crate::sock::{Found, Net, Request, States};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

/// What has to be read.
pub(super) struct Wanted {
    pub(super) request: Request,
    /// Whether the user has named the namespaces.
    pub(super) named: bool,
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
    owners: Option<Swept<Inode>>,
    /// Namespaces of which something could not be read.
    pub(super) unread: u64,
    pub(super) tally: Tally,
}

impl Data {
    /// The fds that hold a socket.
    pub(super) fn owners(&self, inode: Inode) -> &[Holder] {
        match &self.owners {
            Some(owners) if inode != Inode(0) => owners.of(&inode),
            _ => &[],
        }
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
    let mut refused = 0;
    for (place, meant) in places {
        let Some(mut net) = place.open() else {
            if *meant {
                data.tally.vanished += 1;
                tell_gone(&place.network, wanted, &mut data, context);
            }
            continue;
        };
        let found = net.sockets(&wanted.request);
        if *meant {
            tell_unread(&place.network, &found, wanted, &mut data, context);
            // That this kernel has no netlink for a family is no news; that a namespace may not be
            // entered is.
            let by_tables = net.refusal().is_some() && found.unread.is_empty();
            refused += usize::from(by_tables && system.root().is_native());
        }
        data.networks.push(Arc::clone(&place.network));
        data.meant.push(*meant);
        data.interfaces.push(interfaces(&net, &found.sockets));
        data.sockets.push(found.sockets);
        data.from_tables.push(found.from_tables);
        nets.push(net);
    }
    if refused > 0 {
        let namespaces = quantity(refused, "network namespace", "network namespaces");
        context.note(&format!(
            "{namespaces} could not be entered, which takes CAP_SYS_ADMIN: read from /proc/PID/net, which tells less"
        ));
    }
    if wanted.owners {
        find_owners(&mut data, &mut nets, wanted, system, context)?;
    }
    Ok((data, nets))
}

/// The names of the interfaces that any of the sockets is bound to.
fn interfaces(net: &Net, sockets: &[Socket]) -> Vec<(u32, String)> {
    let mut indexes: Vec<u32> = sockets.iter().filter_map(|s| s.interface).filter(|&i| i != 0).collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.into_iter().filter_map(|index| Some((index, net.interface(index)?))).collect()
}

/// Tells of a namespace that went away, if somebody waits for it.
fn tell_gone(network: &Network, wanted: &Wanted, data: &mut Data, context: &Context) {
    if wanted.named {
        data.unread += 1;
        context.complain(&format!("{} is gone: the last process in it has ended", name(network)));
    }
}

/// Tells which families of a namespace could not be read, and why.
fn tell_unread(network: &Network, found: &Found, wanted: &Wanted, data: &mut Data, context: &Context) {
    let (gone, denied): (Vec<_>, Vec<_>) =
        found.unread.iter().partition(|(_, error)| error.kind() == io::ErrorKind::NotFound);
    data.tally.vanished += gone.len() as u64;
    data.tally.denied += denied.len() as u64;
    let Some((_, error)) = denied.first() else {
        if !gone.is_empty() {
            tell_gone(network, wanted, data, context);
        }
        return;
    };
    data.unread += 1;
    let words: Vec<String> = denied.iter().map(|(family, _)| family.word().to_owned()).collect();
    let nothing = found.sockets.is_empty() && words.len() > 1;
    let sockets = if nothing { "sockets".to_owned() } else { format!("{} sockets", listed(&words)) };
    let text = format!("the {sockets} of {} cannot be read: {error}", name(network));
    // Nobody has asked for this one alone.
    if wanted.named { context.complain(&text) } else { context.note(&text) }
}

fn find_owners(
    data: &mut Data,
    nets: &mut [Net],
    wanted: &Wanted,
    system: &System,
    context: &Context,
) -> Result<(), Error> {
    let all = || data.sockets.iter().flatten().map(|socket| socket.inode).collect::<HashSet<_>>();
    let only = wanted.owners_of_these.then(all);
    let look = |only: Option<&HashSet<Inode>>| {
        socket_holders(system, only).map_err(|e| Error::Io(system.root().path().display().to_string(), e))
    };
    let mut owners = look(only.as_ref())?;
    if owners.tally.denied > 0 {
        let processes = owners.denied_processes;
        let fds = owners.tally.denied - processes;
        let told = [(processes, "process", "processes"), (fds, "fd", "fds")]
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| quantity(count as usize, one, many));
        let told = told.collect::<Vec<_>>().join(" and ");
        context.note(&format!(
            "{told} could not be read: permission denied; what they hold has '?' for an owner"
        ));
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
        owners.merge(look(Some(&left))?);
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

/// What to call a namespace in a message.
pub(super) fn name(network: &Network) -> String {
    match (&network.name, network.id) {
        _ if network.own => "this network namespace".to_owned(),
        (Some(name), _) => format!("network namespace {}", String::from_utf8_lossy(name)),
        (None, Some(id)) => format!("network namespace {id}"),
        (None, None) => "a network namespace of another user".to_owned(),
    }
}
