//! `bpf(2)`: the names of maps and programs.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const BPF_PROG_GET_FD_BY_ID: libc::c_long = 13;
const BPF_MAP_GET_FD_BY_ID: libc::c_long = 14;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// Where `name` lies in `struct bpf_prog_info` and `struct bpf_map_info`, and its length.
const PROG_NAME: usize = 64;
const MAP_NAME: usize = 24;
const NAME_LENGTH: usize = 16;

/// The part of `union bpf_attr` that these commands use, padded to what every kernel accepts.
#[repr(C, align(8))]
#[derive(Default)]
struct Attr {
    words: [u32; 8],
}

/// The call. `attr` is the part of `union bpf_attr` that the command uses, or begins with it.
fn bpf<A>(command: libc::c_long, attr: &mut A) -> io::Result<i32> {
    // SAFETY: `attr` is as large as the size passed; a pointer in it, where the command takes one, is
    // to a buffer of the length passed beside it that outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attr, size_of::<A>()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result as i32)
}

/// `bpf(2)` with a command that returns a new fd.
pub(super) fn bpf_fd<A>(command: libc::c_long, attr: &mut A) -> io::Result<OwnedFd> {
    let fd = bpf(command, attr)?;
    // SAFETY: the call returned a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The name of a map or a program by its id. Needs `CAP_SYS_ADMIN`, or `CAP_BPF` and more.
pub fn name(map: bool, id: u32) -> io::Result<String> {
    let mut attr = Attr::default();
    attr.words[0] = id;
    let (get, offset) =
        if map { (BPF_MAP_GET_FD_BY_ID, MAP_NAME) } else { (BPF_PROG_GET_FD_BY_ID, PROG_NAME) };
    let object = bpf_fd(get, &mut attr)?;

    let mut info = [0u8; 256];
    let address = (&raw mut info) as u64;
    let mut attr = Attr::default();
    attr.words[0] = object.as_raw_fd() as u32;
    attr.words[1] = info.len() as u32;
    // A u64 in native byte order, over two words.
    let halves = address.to_ne_bytes();
    attr.words[2] = u32::from_ne_bytes([halves[0], halves[1], halves[2], halves[3]]);
    attr.words[3] = u32::from_ne_bytes([halves[4], halves[5], halves[6], halves[7]]);
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr)?;
    let name = &info[offset..offset + NAME_LENGTH];
    let end = name.iter().position(|&b| b == 0).unwrap_or(NAME_LENGTH);
    Ok(String::from_utf8_lossy(&name[..end]).into_owned())
}
