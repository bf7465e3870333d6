//! Pseudoterminals, of several filesystems.

use super::{check, check_fd, holder, peer};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, needs, own_mounts};
use nix::mount::{MsFlags, mount};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use serde_json::json;
use std::os::fd::OwnedFd;

listed! { "ptys": pair alone several }

const FLAGS: OpenptFlags = OpenptFlags::RDWR.union(OpenptFlags::NOCTTY);

/// A master, unlocked.
fn master() -> OwnedFd {
    let master = rustix::pty::openpt(FLAGS.union(OpenptFlags::CLOEXEC)).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    master
}

fn slave(master: &OwnedFd) -> OwnedFd {
    rustix::pty::ioctl_tiocgptpeer(master, FLAGS.union(OpenptFlags::CLOEXEC)).unwrap()
}

fn pair(keeper: &mut Keeper) -> Result<(), Skip> {
    let master = master();
    let child = holder(slave(&master));
    keeper.told["slave"] = child.id().into();
    keeper.keep(child);
    keeper.show("master", master, json!({}));
    Ok(())
}

fn alone(keeper: &mut Keeper) -> Result<(), Skip> {
    let one = master();
    let left = slave(&one);
    drop(one);
    keeper.show("slave", left, json!({}));
    let other = master();
    drop(slave(&other));
    keeper.show("master", other, json!({}));
    Ok(())
}

/// Two filesystems, with a terminal of the same number in each, opened in the two ways that there
/// are.
fn several(keeper: &mut Keeper) -> Result<(), Skip> {
    own_mounts()?;
    for name in ["one", "two"] {
        let folder = keeper.dir.join(name);
        let filesystem = folder.join("pts");
        std::fs::create_dir_all(&filesystem).unwrap();
        let options = Some("newinstance,ptmxmode=0666");
        needs(mount(Some("none"), &filesystem, Some("devpts"), MsFlags::empty(), options), "devpts")?;
        let device = folder.join("ptmx");
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o666);
        let number = nix::sys::stat::makedev(5, 2);
        let made = nix::sys::stat::mknod(&device, nix::sys::stat::SFlag::S_IFCHR, mode, number);
        needs(made, "a device node")?;
        for (how, path) in [("within", filesystem.join("ptmx")), ("beside", device)] {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            let master = needs(rustix::fs::open(&path, flags, Mode::empty()), "a device on this filesystem")?;
            rustix::pty::unlockpt(&master).unwrap();
            let child = holder(slave(&master));
            keeper.told[format!("{name} {how}")] = child.id().into();
            keeper.keep(child);
            keeper.show(&format!("{name} {how}"), master, json!({}));
        }
    }
    Ok(())
}

fn check_pair(helper: &Helper, master: &str, slave: &str) {
    let pid = helper.told[slave].as_u64().unwrap() as u32;
    check(helper, master, json!([peer(pid, "sleep", 0)]), &format!(", with {pid}/sleep 0"));
    let fd = helper.fd(master);
    let ending = format!(", with {}/helper {fd}", helper.pid());
    check_fd(pid, 0, json!([peer(helper.pid(), "helper", fd)]), &ending);
}

#[test]
fn master_and_slave() {
    let helper = Helper::start("ptys::pair");
    check_pair(&helper, "master", "slave");
}

#[test]
fn a_side_that_is_gone() {
    let helper = Helper::start("ptys::alone");
    for side in ["master", "slave"] {
        check(&helper, side, json!([]), ", nobody at the other end");
    }
}

#[test]
fn numbers_are_those_of_a_filesystem() {
    let helper = Helper::start("ptys::several");
    if helper.was_skipped() {
        return;
    }
    for name in ["one within", "one beside", "two within", "two beside"] {
        check_pair(&helper, name, name);
    }
}
