//! Whether the machine allows it: fds, and processes and threads.

use super::options::Options;
use super::scene::Scene;
use crate::commands::bench::room::{nofile_remedy, open_fds};
use crate::commands::listen::Model;
use crate::commands::rlimit::raise;
use crate::context::Context;
use crate::model::{Pid, Resource};
use crate::proc::{ProcRoot, ProcessDir, Setting, System, Usage, UserUsage, system_setting};
use rustix::process::{Resource as Limited, geteuid};
use std::fs;
use std::path::{Path, PathBuf};

/// Fds beside those of connections, and processes and threads beside those that serve one.
const SPARE: u64 = 32;
/// Mappings of memory that a thread takes: its stack, and the guard below.
const MAPPINGS: u64 = 2;

/// What there is no more of.
struct Ceiling {
    /// What limits it, as a user knows it.
    what: String,
    /// How many more there may be.
    left: u64,
    /// What would allow so many more.
    remedy: Box<dyn Fn(u64) -> String>,
}

/// The scenes for which there is room, with the models for which there is, and how many models are
/// left out, of which the user is told. Raises soft limits to the hard ones.
pub(super) fn fitting(plan: Vec<Scene>, options: &Options, context: &Context) -> (Vec<Scene>, u64) {
    let fds = fds();
    let most = options.connections().iter().max().copied().unwrap_or(0);
    let ports = ports(&context.root);
    let tasks = tasks(&context.root, u64::from(most));
    let mut refused = 0;
    let mut fitting = Vec::new();
    for mut scene in plan {
        let connections = scene.connections as u64;
        let (mut ours, mut started) = (0, 0);
        scene.models.retain(|&model| {
            let mut needs = vec![(&fds, ours + connections), (&ports, connections)];
            if model != Model::EventLoop {
                needs.extend(tasks.iter().map(|ceiling| (ceiling, started + connections)));
            }
            match needs.into_iter().find(|(ceiling, more)| *more > ceiling.left) {
                None => {
                    ours += connections;
                    started += if model == Model::EventLoop { 0 } else { connections };
                    true
                }
                Some((ceiling, more)) => {
                    refused += 1;
                    let Ceiling { what, left, remedy } = ceiling;
                    context.complain(&format!(
                        "{} with {connections} connections is not measured: {what} leaves {left}, and {more} are \
                         needed; {}",
                        model.name(),
                        remedy(more - left)
                    ));
                    false
                }
            }
        });
        if !scene.models.is_empty() {
            fitting.push(scene);
        }
    }
    (fitting, refused)
}

/// Fds of ours, for all servers of a scene together; each of those needs no more than that.
fn fds() -> Ceiling {
    let hard = raise(Limited::Nofile).unwrap_or(u64::MAX);
    Ceiling {
        what: "the hard nofile limit".to_owned(),
        left: hard.saturating_sub(open_fds(SPARE) + SPARE),
        remedy: Box::new(move |more| nofile_remedy(hard + more)),
    }
}

/// Ports of connections to one server: each has its own.
fn ports(root: &ProcRoot) -> Ceiling {
    let text = fs::read_to_string(root.join("sys/net/ipv4/ip_local_port_range")).unwrap_or_default();
    let mut range = text.split_whitespace().filter_map(|port| port.parse::<u64>().ok());
    let ports =
        range.next().zip(range.next()).map_or(u64::MAX, |(first, last)| (last + 1).saturating_sub(first));
    Ceiling {
        what: "net.ipv4.ip_local_port_range".to_owned(),
        left: ports,
        remedy: Box::new(|_| {
            "as root, 'sysctl net.ipv4.ip_local_port_range=\"1024 65535\"' allows 64512".to_owned()
        }),
    }
}

/// Processes and threads, for all servers of a scene together. Where nothing is told of a limit,
/// there is none.
fn tasks(root: &ProcRoot, most: u64) -> Vec<Ceiling> {
    let mut all = Vec::new();
    for sysctl in ["kernel.threads-max", "kernel.pid_max"] {
        if let Some(Setting { name, value, used: Some(used), .. }) = system_setting(root, sysctl) {
            all.push(Ceiling {
                what: name.to_owned(),
                left: value.saturating_sub(used + SPARE),
                remedy: Box::new(move |more| format!("as root, 'sysctl {name}={}' raises it", value + more)),
            });
        }
    }
    if let Some(limit) = number(&root.join("sys/vm/max_map_count")) {
        all.push(Ceiling {
            what: "vm.max_map_count, of which a thread takes two,".to_owned(),
            left: limit.saturating_sub(10 * SPARE) / MAPPINGS,
            remedy: Box::new(move |more| {
                format!("as root, 'sysctl vm.max_map_count={}' raises it", limit + MAPPINGS * more)
            }),
        });
    }
    // Root is not limited by it. To count the threads of a user takes a look at all processes.
    let limit = raise(Limited::Nproc).filter(|_| !geteuid().is_root());
    if let Some(hard) = limit
        && let Some(used) = threads_of_user(root).filter(|used| used + 2 * most + SPARE > hard)
    {
        all.push(Ceiling {
            what: "the hard nproc limit".to_owned(),
            left: hard.saturating_sub(used + SPARE),
            remedy: Box::new(move |more| {
                let new = hard + more;
                format!("as root, 'prlimit --pid $$ --nproc={new}:{new}' raises it for this shell")
            }),
        });
    }
    all.extend(cgroups(root));
    all
}

/// The limits of the cgroups that this process is in: `pids.max`.
fn cgroups(root: &ProcRoot) -> Vec<Ceiling> {
    let text = fs::read_to_string(root.join("self/cgroup")).unwrap_or_default();
    let Some(own) = text.lines().find_map(|line| line.strip_prefix("0::/")) else { return Vec::new() };
    let top = PathBuf::from("/sys/fs/cgroup");
    let ceiling = |path: &Path| {
        let file = path.join("pids.max");
        let (limit, used) = (number(&file)?, number(&path.join("pids.current"))?);
        let shown = file.display().to_string();
        Some(Ceiling {
            what: shown.clone(),
            left: limit.saturating_sub(used + SPARE),
            remedy: Box::new(move |more| format!("as root, 'echo {} > {shown}' raises it", limit + more)),
        })
    };
    let all = top.join(own);
    all.ancestors().take_while(|path| path.starts_with(&top)).filter_map(ceiling).collect()
}

fn threads_of_user(root: &ProcRoot) -> Option<u64> {
    let system = System::new(root.clone(), false);
    let own = ProcessDir::open(root, Pid(std::process::id() as i32), &system).ok()?;
    let nproc = *Resource::ALL.iter().find(|resource| resource.name == "nproc")?;
    Usage::read(&own, &UserUsage::read(root, &system)).ok()?.of(nproc)
}

/// A file with a number in it, and not `max`.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
