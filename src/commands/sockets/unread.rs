//! Telling what could not be read of which namespace.

use super::gather::{Data, Wanted};
use super::pattern::listed;
use crate::context::Context;
use crate::model::{Family, errno_words, quantity};
use crate::proc::Network;
use crate::sock::Found;
use std::collections::BTreeSet;
use std::io;

/// Tells of a namespace that went away, if somebody waits for it.
pub(super) fn tell_gone(network: &Network, wanted: &Wanted, data: &mut Data, context: &Context) {
    if wanted.named {
        data.unread += 1;
        context.complain(&format!("{} is gone: the last process in it has ended", name(network)));
    }
}

/// Tells which families of a namespace could not be read, and why.
pub(super) fn tell_unread(
    network: &Network,
    found: &Found,
    wanted: &Wanted,
    data: &mut Data,
    context: &Context,
) {
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

/// Tells which of the families that were asked for are listed nowhere.
pub(super) fn tell_unlisted(families: &[Family], wanted: &Wanted, context: &Context) {
    let is_one = |family: &&Family| families.contains(family);
    let words: Vec<String> =
        wanted.request.families.iter().filter(is_one).map(|family| family.word().to_owned()).collect();
    if !words.is_empty() {
        context.note(&format!(
            "{} sockets cannot be listed: this kernel has no sock_diag of them, nor a table",
            listed(&words)
        ));
    }
}

/// Tells how many namespaces could not be entered, by errno, so that their tables had to do.
pub(super) fn tell_refused(errors: &[i32], context: &Context) {
    let each: BTreeSet<i32> = errors.iter().copied().collect();
    for errno in each {
        let count = errors.iter().filter(|e| **e == errno).count();
        let why = match errno {
            libc::EPERM => ", which takes CAP_SYS_ADMIN".to_owned(),
            errno => format!(" ({})", errno_words(errno)),
        };
        let namespaces = quantity(count, "network namespace", "network namespaces");
        context.note(&format!(
            "{namespaces} could not be entered{why}: read from /proc/PID/net, which tells less"
        ));
    }
}

/// What to call a namespace in a message.
fn name(network: &Network) -> String {
    match (&network.name, network.id) {
        _ if network.own => "this network namespace".to_owned(),
        (Some(name), _) => format!("network namespace {}", String::from_utf8_lossy(name)),
        (None, Some(id)) => format!("network namespace {id}"),
        (None, None) => "a network namespace of another user".to_owned(),
    }
}
