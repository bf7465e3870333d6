//! Handles on processes and namespaces.

use super::exhibits;
use crate::support::{Keeper, Skip, needs, own_mounts};
use nix::mount::{MsFlags, mount};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use serde_json::json;
use std::fs::File;
use std::process::Command;

exhibits! { "processes": pidfd pidfd_of_the_dead namespaces mounted_namespaces }

fn pidfd(keeper: &mut Keeper) -> Result<(), Skip> {
    let fd = pidfd_open(getpid(), PidfdFlags::NONBLOCK).unwrap();
    let pid = std::process::id();
    let command = std::fs::read_to_string("/proc/self/comm").unwrap();
    let command = command.trim_end();
    let fields = json!({"pid": pid, "command": command});
    let name = format!("process {pid} {command}");
    keeper.show("own", fd, json!({"kind": "pidfd", "name": name, "pidfd": fields}));
    Ok(())
}

fn pidfd_of_the_dead(keeper: &mut Keeper) -> Result<(), Skip> {
    let mut child = Command::new("true").spawn().unwrap();
    let fd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    child.wait().unwrap();
    let fields = json!({"pid": -1, "command": {"$absent": true}});
    keeper.show("dead", fd, json!({"kind": "pidfd", "name": "process has ended", "pidfd": fields}));
    Ok(())
}

fn namespaces(keeper: &mut Keeper) -> Result<(), Skip> {
    for ty in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let file = needs(File::open(format!("/proc/self/ns/{ty}")), ty)?;
        let id = rustix::fs::fstat(&file).unwrap().st_ino;
        let name = format!("{ty} namespace {id}");
        let expected = json!({"kind": "namespace", "name": name, "namespace": {"type": ty, "id": id}});
        keeper.show(ty, file, expected);
    }
    Ok(())
}

/// As `ip netns` keeps them: under names of their own.
fn mounted_namespaces(keeper: &mut Keeper) -> Result<(), Skip> {
    own_mounts()?;
    for ty in ["net", "uts"] {
        let path = keeper.path(ty);
        File::create(&path).unwrap();
        let (link, none) = (format!("/proc/self/ns/{ty}"), None::<&str>);
        needs(mount(Some(link.as_str()), path.as_str(), none, MsFlags::MS_BIND, none), "a bind mount")?;
        let file = File::open(&path).unwrap();
        let id = rustix::fs::fstat(&file).unwrap().st_ino;
        let fields = json!({"type": ty, "id": id});
        let name = format!("{ty} namespace {id}, {path}");
        keeper.show(ty, file, json!({"kind": "namespace", "name": name, "namespace": fields, "path": path}));
    }
    Ok(())
}
