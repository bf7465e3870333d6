//! Iterators of `bpf(2)`: programs that the kernel runs over things of its own, such as the fds of a
//! task, and that write what they find into a file.

use super::bpf::bpf_fd;
use crate::model::Pid;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_ITER_CREATE: libc::c_long = 33;

const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_ITER: u32 = 28;

/// The license of the programs, which are part of this one. The helpers that they call are for those
/// alone that may be had under the GPL.
const LICENSE: &CStr = c"Dual MIT/GPL";

/// `union bpf_attr` for `BPF_PROG_LOAD`, up to the last part that is used.
#[repr(C, align(8))]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log: [u32; 4],
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    debug: [u32; 9],
    attach_btf_id: u32,
}

/// The same for `BPF_LINK_CREATE`.
#[repr(C, align(8))]
#[derive(Default)]
struct LinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    iter_info: u64,
    iter_info_len: u32,
}

/// `union bpf_iter_link_info` for iterators over tasks.
#[repr(C)]
#[derive(Default)]
struct TaskInfo {
    tid: u32,
    pid: u32,
    pid_fd: u32,
}

/// The same as [`ProgLoad`] for `BPF_ITER_CREATE`.
#[repr(C, align(8))]
#[derive(Default)]
struct IterCreate {
    link_fd: u32,
    flags: u32,
}

/// Has the kernel verify a program for an iterator. `target` is the iterator: the number that its
/// function has in the types of the kernel. Needs `CAP_BPF` and `CAP_PERFMON`.
pub fn load_iterator(instructions: &[u64], target: u32) -> io::Result<OwnedFd> {
    let mut prog_name = [0; 16];
    prog_name[..7].copy_from_slice(b"fdscope");
    let mut attr = ProgLoad {
        prog_type: BPF_PROG_TYPE_TRACING,
        insn_cnt: instructions.len() as u32,
        insns: instructions.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
        prog_name,
        expected_attach_type: BPF_TRACE_ITER,
        attach_btf_id: target,
        ..ProgLoad::default()
    };
    bpf_fd(BPF_PROG_LOAD, &mut attr)
}

/// Runs an iterator over one task, which is `task` in our own pid namespace: the file gives what the
/// program writes.
pub fn iterate(program: BorrowedFd<'_>, task: Pid) -> io::Result<OwnedFd> {
    let info = TaskInfo { tid: task.0 as u32, ..TaskInfo::default() };
    let mut attr = LinkCreate {
        prog_fd: program.as_raw_fd() as u32,
        attach_type: BPF_TRACE_ITER,
        iter_info: (&raw const info) as u64,
        iter_info_len: size_of::<TaskInfo>() as u32,
        ..LinkCreate::default()
    };
    let link = bpf_fd(BPF_LINK_CREATE, &mut attr)?;
    let mut attr = IterCreate { link_fd: link.as_raw_fd() as u32, ..IterCreate::default() };
    bpf_fd(BPF_ITER_CREATE, &mut attr)
}
