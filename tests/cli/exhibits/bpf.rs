//! BPF objects.

use super::exhibits;
use crate::support::{Keeper, Skip, call_fd, needs};
use serde_json::json;
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "bpf": map program }

const MAP_CREATE: usize = 0;
const PROG_LOAD: usize = 5;

fn bpf(command: usize, attributes: &[u8]) -> std::io::Result<OwnedFd> {
    let arguments = [command, attributes.as_ptr() as usize, attributes.len(), 0, 0, 0];
    call_fd(libc::SYS_bpf, arguments)
}

/// A number of our own fdinfo.
fn own_info(fd: &OwnedFd, key: &str) -> u64 {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let value = info.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(":\t")).expect(key);
    value.parse().unwrap()
}

fn put(attributes: &mut [u8], at: usize, bytes: &[u8]) {
    attributes[at..at + bytes.len()].copy_from_slice(bytes);
}

/// `BPF_MAP_TYPE_ARRAY` of 16 entries of 8 bytes.
fn map(keeper: &mut Keeper) -> Result<(), Skip> {
    let mut attributes = [0; 72];
    for (i, number) in [2u32, 4, 8, 16].into_iter().enumerate() {
        put(&mut attributes, i * 4, &number.to_ne_bytes());
    }
    put(&mut attributes, 28, b"zoo_map");
    let fd = needs(bpf(MAP_CREATE, &attributes), "bpf")?;
    let id = own_info(&fd, "map_id");
    let expected = json!({
        "kind": "bpf-map", "name": format!("map {id} array zoo_map"),
        "bpf": {"object": "map", "type": "array", "id": id, "name": "zoo_map", "max_entries": 16,
                "memory": own_info(&fd, "memlock")},
    });
    keeper.show("map", fd, expected);
    Ok(())
}

/// A socket filter that takes nothing.
fn program(keeper: &mut Keeper) -> Result<(), Skip> {
    const MOV_R0_0: [u8; 8] = [0xb7, 0, 0, 0, 0, 0, 0, 0];
    const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];
    let (code, license) = ([MOV_R0_0, EXIT].concat(), c"MIT");
    let mut attributes = [0; 72];
    put(&mut attributes, 0, &1u32.to_ne_bytes());
    put(&mut attributes, 4, &2u32.to_ne_bytes());
    put(&mut attributes, 8, &(code.as_ptr() as u64).to_ne_bytes());
    put(&mut attributes, 16, &(license.as_ptr() as u64).to_ne_bytes());
    put(&mut attributes, 48, b"zoo_prog");
    let fd = needs(bpf(PROG_LOAD, &attributes), "bpf")?;
    let id = own_info(&fd, "prog_id");
    let expected = json!({
        "kind": "bpf-prog", "name": format!("prog {id} socket_filter zoo_prog"),
        "bpf": {"object": "prog", "type": "socket_filter", "id": id, "name": "zoo_prog"},
    });
    keeper.show("program", fd, expected);
    Ok(())
}
