//! Programs of another ABI than ours.

use super::settle;
use crate::support::{Ended, Fdscope};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A static program for 32-bit x86: poll(NULL, 0, -1).
fn program() -> Vec<u8> {
    const BASE: u32 = 0x0804_8000;
    const HEADERS: u32 = 52 + 32;
    let code: &[u8] = &[
        0xb8, 168, 0, 0, 0, // mov eax, 168: poll
        0x31, 0xdb, // xor ebx, ebx
        0x31, 0xc9, // xor ecx, ecx
        0xba, 0xff, 0xff, 0xff, 0xff, // mov edx, -1
        0xcd, 0x80, // int 0x80
        0xeb, 0xfe, // jmp to itself
    ];
    let size = HEADERS + code.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // ET_EXEC, EM_386, version, entry, e_phoff, e_shoff, e_flags.
    file.extend([2_u16, 3].iter().flat_map(|n| n.to_le_bytes()));
    file.extend([1, BASE + HEADERS, 52, 0, 0].iter().flat_map(|n: &u32| n.to_le_bytes()));
    // e_ehsize, e_phentsize, e_phnum, and no sections.
    file.extend([52_u16, 32, 1, 0, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    // PT_LOAD, readable and executable.
    file.extend([1, 0, BASE, BASE, size, size, 5, 0x1000].iter().flat_map(|n: &u32| n.to_le_bytes()));
    file.extend(code);
    file
}

/// Number 168 is swapoff(2) with 64 bits.
#[test]
fn calls_of_a_32_bit_program_are_not_taken_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small");
    std::fs::write(&path, program()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let child = match Command::new(&path).spawn() {
        Ok(child) => Ended(child),
        Err(e) => {
            eprintln!("skipped: a 32-bit program, because none can be run: {e}");
            return;
        }
    };
    let look = || Fdscope::new(format!("threads {} --json", child.id())).run().records();
    let expected = json!({
        "call": "168", "abi": "32-bit", "state": "sleeping", "fds": {"$absent": true}, "timeout": {"$absent": true},
        "waits_for": {"$holds": "32-bit call 168, not decoded"}, "serving": {"$absent": true},
    });
    settle(look, &[("small", expected)]);
}
