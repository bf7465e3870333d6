//! Completion of values that only the running system or the registry knows.

use super::{fields, kinds, limits, sockets, threads};
use crate::kind::ALL;
use crate::listener::Service;
use crate::model::{Holder, Inode, Interest, Pid, Resource};
use crate::proc::{ProcRoot, all_pids, command_of, holders};
use crate::sock::Diag;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{PathCompleter, ValueCompleter as _};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Pids, with their command names.
pub(super) fn pids() -> Vec<CompletionCandidate> {
    let root = ProcRoot::from_env();
    let candidate = |pid: Pid| {
        let command = String::from_utf8_lossy(&command_of(&root, pid)?).into_owned();
        Some(CompletionCandidate::new(pid.to_string()).help(Some(command.into())))
    };
    let pids = all_pids(&root).unwrap_or_default();
    pids.into_iter().filter(|&p| Some(p) != root.own()).filter_map(candidate).collect()
}

/// Targets of `watch`: processes, behind the colon their fds with what they are, behind `/`, `r:`,
/// `w:`, `rw:` and `unix:` files.
pub(super) fn watch_targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let bytes = current.as_bytes();
    let how = ["rw:", "r:", "w:", "unix:"].into_iter().find(|how| bytes.starts_with(how.as_bytes()));
    if how.is_some() || bytes.contains(&b'/') {
        return files(current, how.unwrap_or_default());
    }
    let text = current.to_string_lossy();
    let candidates = match text.split_once(':').and_then(|(pid, _)| Some(Pid(pid.parse().ok()?))) {
        Some(pid) => fds(pid),
        None => {
            let colon = |pid: CompletionCandidate| {
                let mut value = pid.get_value().to_owned();
                value.push(":");
                CompletionCandidate::new(value).help(pid.get_help().cloned())
            };
            let others = ["tcp:", "udp:", "unix:"].map(CompletionCandidate::new);
            pids().into_iter().map(colon).chain(others).collect()
        }
    };
    let fits = |c: &CompletionCandidate| c.get_value().as_bytes().starts_with(bytes);
    candidates.into_iter().filter(fits).collect()
}

/// Addresses of `listen`: what they begin with, and behind `unix:` files.
pub(super) fn addresses(current: &OsStr) -> Vec<CompletionCandidate> {
    if current.as_bytes().starts_with(b"unix:") {
        return files(current, "unix:");
    }
    list(current, ["unix:", "vsock:", "127.0.0.1:", "[::1]:", ":"].map(|start| (start, None)).into_iter())
}

/// Files behind this prefix.
fn files(current: &OsStr, prefix: &str) -> Vec<CompletionCandidate> {
    let files = PathCompleter::any().complete(OsStr::from_bytes(&current.as_bytes()[prefix.len()..]));
    files.into_iter().map(|file| file.add_prefix(prefix)).collect()
}

/// The values of an enumeration, after a comma too: each once, and this one by itself.
pub(super) fn each_once<V: ValueEnum>(current: &OsStr, by_itself: &str) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let named: Vec<&str> = text.rsplit_once(',').map_or(Vec::new(), |(named, _)| named.split(',').collect());
    let values: Vec<_> = V::value_variants().iter().filter_map(V::to_possible_value).collect();
    let fits = |value: &&PossibleValue| {
        let alone = |name: &str| named.is_empty() || name != by_itself && !named.contains(&by_itself);
        alone(value.get_name()) && !named.contains(&value.get_name())
    };
    let values = values.iter().filter(fits);
    let help = |value: &PossibleValue| value.get_help().map(ToString::to_string);
    let values: Vec<_> = values.map(|value| (value.get_name(), help(value))).collect();
    list(current, values.iter().map(|(name, help)| (*name, help.as_deref())))
}

/// Targets of `threads`: processes, and behind the colon their threads with their names.
pub(super) fn thread_targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let candidates = match text.split_once(':').and_then(|(pid, _)| Some(Pid(pid.parse().ok()?))) {
        Some(pid) => tids(pid),
        None => pids(),
    };
    candidates.into_iter().filter(|c| c.get_value().as_bytes().starts_with(current.as_bytes())).collect()
}

/// The threads of a process.
fn tids(pid: Pid) -> Vec<CompletionCandidate> {
    let folder = ProcRoot::from_env().join(format!("{pid}/task"));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let tid = |entry: std::fs::DirEntry| {
        let name = std::fs::read(entry.path().join("comm")).unwrap_or_default();
        Some((
            entry.file_name().to_str()?.parse::<u32>().ok()?,
            String::from_utf8_lossy(name.trim_ascii()).into_owned(),
        ))
    };
    let mut tids: Vec<_> = entries.filter_map(tid).collect();
    tids.sort_unstable();
    let candidate =
        |(tid, name): (u32, String)| CompletionCandidate::new(format!("{pid}:{tid}")).help(Some(name.into()));
    tids.into_iter().map(candidate).collect()
}

/// All fds of a process, and each of them.
fn fds(pid: Pid) -> Vec<CompletionCandidate> {
    let folder = ProcRoot::from_env().join(format!("{pid}/fd"));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let fd =
        |entry: std::fs::DirEntry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()));
    let mut fds: Vec<_> = entries.filter_map(fd).collect();
    fds.sort_unstable();
    let each = fds.into_iter().map(|(fd, path)| {
        let file = std::fs::read_link(path).ok().map(|file| file.display().to_string().into());
        CompletionCandidate::new(format!("{pid}:{fd}")).help(file)
    });
    let all = CompletionCandidate::new(format!("{pid}:all")).help(Some("and those that it opens".into()));
    std::iter::once(all).chain(each).collect()
}

/// Words of `--kind`, after a comma too.
pub(super) fn kinds(current: &OsStr) -> Vec<CompletionCandidate> {
    let help = |word: &str| ALL.iter().find(|k| k.name == word).map(|k| k.help);
    list(current, kinds::words().into_iter().map(|w| (w, help(w))))
}

/// Conditions of `watch --events`, after a comma too.
pub(super) fn conditions(current: &OsStr) -> Vec<CompletionCandidate> {
    list(current, Interest::all_names().map(|name| (name, None)))
}

/// Names of `list --columns`, after a comma or a plus too.
pub(super) fn columns(current: &OsStr) -> Vec<CompletionCandidate> {
    let all = fields::all();
    list(current, all.iter().map(|c| (c.field.name, Some(c.field.help))))
}

/// Names of `sockets --columns`.
pub(super) fn socket_columns(current: &OsStr) -> Vec<CompletionCandidate> {
    list(current, sockets::all_fields().map(|f| (f.name, Some(f.help))))
}

/// Names of `threads --columns`.
pub(super) fn thread_columns(current: &OsStr) -> Vec<CompletionCandidate> {
    list(current, threads::all_fields().map(|f| (f.name, Some(f.help))))
}

/// Names of `limits --columns`.
pub(super) fn limit_columns(current: &OsStr) -> Vec<CompletionCandidate> {
    list(current, limits::fields().map(|f| (f.name, Some(f.help))))
}

/// Names of limits, for `--set`.
pub(super) fn limits(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = Resource::ALL.iter().map(|r| (r.name, Some(r.help)));
    list(current, names)
        .into_iter()
        .map(|c| {
            let mut value = c.get_value().to_owned();
            value.push("=");
            let help = c.get_help().cloned();
            CompletionCandidate::new(value).help(help)
        })
        .collect()
}

/// Words of `listen --serve`, and behind `send=` files.
pub(super) fn services(current: &OsStr) -> Vec<CompletionCandidate> {
    if let Some(path) = current.as_bytes().strip_prefix(b"send=") {
        let files = PathCompleter::file().complete(OsStr::from_bytes(path));
        return files.into_iter().map(|file| file.add_prefix("send=")).collect();
    }
    list(current, Service::WORDS.iter().map(|&(word, help)| (word.trim_end_matches("FILE"), Some(help))))
}

/// TCP ports that somebody listens on, with who does, as far as that may be known.
pub(super) fn listening_ports(current: &OsStr) -> Vec<CompletionCandidate> {
    let listeners = Diag::open().and_then(|mut d| d.tcp_listeners()).unwrap_or_default();
    let current = current.to_string_lossy();
    let mut ports: Vec<(u16, Inode)> =
        listeners.iter().filter_map(|l| Some((l.local?.0.port(), l.inode))).collect();
    ports.sort_unstable();
    ports.dedup_by_key(|(port, _)| *port);
    ports.retain(|(port, _)| port.to_string().starts_with(&*current));
    let inodes: Vec<Inode> = ports.iter().map(|(_, inode)| *inode).collect();
    let holders = holders(&ProcRoot::from_env(), &inodes);
    let candidate = |(port, inode): &(u16, Inode)| {
        let holder = holders.iter().find(|(held, _)| held == inode);
        let command =
            |(_, holder): &(Inode, Holder)| String::from_utf8_lossy(&holder.process.command).into_owned();
        let command = holder.map(|held| command(held).into());
        CompletionCandidate::new(port.to_string()).help(command)
    };
    ports.iter().map(candidate).collect()
}

/// The candidates for the last part of a comma-separated value.
fn list<'a>(
    current: &OsStr,
    names: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let start = current.rfind([',', '+']).map_or(0, |i| i + 1);
    let (done, part) = current.split_at(start);
    names
        .filter(|(name, _)| name.starts_with(part))
        .map(|(name, help)| {
            CompletionCandidate::new(format!("{done}{name}")).help(help.map(|h| h.to_owned().into()))
        })
        .collect()
}
