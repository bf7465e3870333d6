//! Kinds that stand alone.

use super::exhibits;
use crate::support::{Keeper, Skip, call, call_fd, needs, own_network};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsOpenFlags, fsopen};
use serde_json::json;
use std::ffi::CString;
use std::os::fd::AsRawFd as _;

exhibits! { "rest": io_uring perf_event mqueue tun tun_without_interface seccomp landlock fscontext }

fn io_uring(keeper: &mut Keeper) -> Result<(), Skip> {
    // struct io_uring_params: the kernel takes zeroes for defaults.
    let parameters = [0u32; 30];
    let arguments = [8, &raw const parameters as usize, 0, 0, 0, 0];
    let ring = needs(call_fd(libc::SYS_io_uring_setup, arguments), "io_uring")?;
    let fields = json!({
        "sq_entries": 8, "sq_pending": 0, "cq_entries": 16, "cq_pending": 0, "sq_thread": -1, "files": 0,
        "buffers": 0,
    });
    let name = "0 of 8 submissions, 0 of 16 completions waiting";
    keeper.show("ring", ring, json!({"kind": "io_uring", "name": name, "io_uring": fields}));
    Ok(())
}

fn perf_event(keeper: &mut Keeper) -> Result<(), Skip> {
    // struct perf_event_attr: PERF_TYPE_SOFTWARE, its size, PERF_COUNT_SW_CPU_CLOCK; then flags
    // at 40: disabled, exclude_kernel.
    let attributes: [u32; 32] = std::array::from_fn(|i| match i {
        0 => 1,
        1 => 128,
        10 => 1 | 1 << 5,
        _ => 0,
    });
    let arguments = [&raw const attributes as usize, 0, usize::MAX, usize::MAX, 0, 0];
    let counter = needs(call_fd(libc::SYS_perf_event_open, arguments), "perf_event_open")?;
    keeper.show("counter", counter, json!({"kind": "perf_event"}));
    Ok(())
}

fn mqueue(keeper: &mut Keeper) -> Result<(), Skip> {
    let name = format!("fdscope-test-{}", std::process::id());
    let path = CString::new(name.as_str()).unwrap();
    // struct mq_attr: flags, messages, size of one.
    let attributes = [0i64, 5, 64, 0, 0, 0, 0, 0];
    let flags = (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NONBLOCK) as usize;
    let arguments = [path.as_ptr() as usize, flags, 0o600, &raw const attributes as usize, 0, 0];
    let queue = needs(call_fd(libc::SYS_mq_open, arguments), "mq_open")?;
    for _ in 0..2 {
        let arguments = [queue.as_raw_fd() as usize, b"hello".as_ptr() as usize, 5, 0, 0, 0];
        call(libc::SYS_mq_timedsend, arguments).unwrap();
    }
    // It lives on while it is open; nothing is left when we end.
    call(libc::SYS_mq_unlink, [path.as_ptr() as usize, 0, 0, 0, 0, 0]).unwrap();
    let fields = json!({
        "path": format!("/{name}"), "messages": 2, "max_messages": 5, "message_size": 64,
    });
    let name = format!("/{name}, 2 of 5 messages (deleted)");
    keeper.show("queue", queue, json!({"kind": "mqueue", "name": name, "mqueue": fields}));
    Ok(())
}

fn open_tun() -> Result<rustix::fd::OwnedFd, Skip> {
    needs(rustix::fs::open("/dev/net/tun", OFlags::RDWR | OFlags::NONBLOCK, Mode::empty()), "/dev/net/tun")
}

fn tun(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    let tun = open_tun()?;
    // struct ifreq: the name, then IFF_TUN | IFF_NO_PI.
    let mut request = [0u8; 40];
    request[..6].copy_from_slice(b"zoo%d\0");
    request[16..18].copy_from_slice(&0x1001u16.to_ne_bytes());
    let arguments = [tun.as_raw_fd() as usize, libc::TUNSETIFF as usize, request.as_ptr() as usize, 0, 0, 0];
    needs(call(libc::SYS_ioctl, arguments), "TUNSETIFF")?;
    keeper.show("tun", tun, json!({"kind": "tun", "name": "interface zoo0", "tun": {"interface": "zoo0"}}));
    Ok(())
}

fn tun_without_interface(keeper: &mut Keeper) -> Result<(), Skip> {
    let tun = open_tun()?;
    let expected = json!({"kind": "tun", "name": "no interface yet", "tun": {"interface": ""}});
    keeper.show("tun", tun, expected);
    Ok(())
}

fn seccomp(keeper: &mut Keeper) -> Result<(), Skip> {
    needs(nix::sys::prctl::set_no_new_privs(), "no_new_privs")?;
    // struct sock_filter: BPF_RET | BPF_K with SECCOMP_RET_ALLOW; struct sock_fprog around it.
    let filter = [0x06u16, 0, 0, 0x7fff];
    let program = [1u64, &raw const filter as u64];
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as usize;
    let set = libc::SECCOMP_SET_MODE_FILTER as usize;
    let made = call_fd(libc::SYS_seccomp, [set, flags, &raw const program as usize, 0, 0, 0]);
    keeper.show("listener", needs(made, "seccomp")?, json!({"kind": "seccomp"}));
    Ok(())
}

fn landlock(keeper: &mut Keeper) -> Result<(), Skip> {
    // struct landlock_ruleset_attr: LANDLOCK_ACCESS_FS_EXECUTE is handled.
    let attributes = 1u64;
    let arguments = [&raw const attributes as usize, 8, 0, 0, 0, 0];
    let ruleset = needs(call_fd(libc::SYS_landlock_create_ruleset, arguments), "landlock")?;
    keeper.show("ruleset", ruleset, json!({"kind": "landlock", "name": "ruleset"}));
    Ok(())
}

fn fscontext(keeper: &mut Keeper) -> Result<(), Skip> {
    let context = needs(fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC), "fsopen")?;
    keeper.show("context", context, json!({"kind": "fscontext"}));
    Ok(())
}
