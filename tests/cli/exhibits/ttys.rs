//! Terminals.

use super::exhibits;
use crate::support::{Keeper, Skip, needs};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use serde_json::json;

exhibits! { "ttys": pty tty }

fn pty(keeper: &mut Keeper) -> Result<(), Skip> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let index: u32 = name.rsplit('/').next().unwrap().parse().unwrap();
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).unwrap();
    let fields = |side| json!({"side": side, "index": index});
    let named = json!({"$holds": format!("master of /dev/pts/{index}")});
    keeper.show("master", master, json!({"kind": "pty", "name": named, "pty": fields("master")}));
    keeper.show("slave", slave, json!({"kind": "pty", "name": name, "path": name, "pty": fields("slave")}));
    Ok(())
}

fn tty(keeper: &mut Keeper) -> Result<(), Skip> {
    let tty = needs(rustix::fs::open("/dev/tty", OFlags::PATH, Mode::empty()), "/dev/tty")?;
    keeper.show("tty", tty, json!({"kind": "tty", "name": "/dev/tty", "tty": {"device": "5:0"}}));
    Ok(())
}
