//! Memory as fds.

use super::exhibits;
use crate::support::{Keeper, Skip, call_fd, needs};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde_json::json;

exhibits! { "memory": memfd sealed strange_memfds secretmem userfaultfd }

fn memfd(keeper: &mut Keeper) -> Result<(), Skip> {
    let fd = memfd_create("a name", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&fd, 12288).unwrap();
    let fields = json!({"name": "a name", "size": 12288, "seals": ["seal"]});
    let expected = json!({
        "kind": "memfd", "name": "a name, 12K, sealed: seal", "memfd": fields,
        "path": {"$absent": true}, "deleted": {"$absent": true},
    });
    keeper.show("memfd", fd, expected);
    Ok(())
}

fn sealed(keeper: &mut Keeper) -> Result<(), Skip> {
    let fd = memfd_create("", MemfdFlags::ALLOW_SEALING).unwrap();
    let fields = json!({"name": "", "size": 0, "seals": []});
    keeper.show("unsealed", fd, json!({"kind": "memfd", "memfd": fields}));
    let fd = memfd_create("sealed", MemfdFlags::ALLOW_SEALING).unwrap();
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE).unwrap();
    let fields = json!({"name": "sealed", "seals": {"$set": ["shrink", "grow", "future-write"]}});
    keeper.show("sealed", fd, json!({"kind": "memfd", "memfd": fields}));
    Ok(())
}

fn strange_memfds(keeper: &mut Keeper) -> Result<(), Skip> {
    for name in ["with/slash", "x (deleted)", "a\nb"] {
        let fd = memfd_create(name, MemfdFlags::ALLOW_SEALING).unwrap();
        keeper.show(name, fd, json!({"kind": "memfd", "memfd": {"name": name}}));
    }
    Ok(())
}

fn secretmem(keeper: &mut Keeper) -> Result<(), Skip> {
    let fd = needs(call_fd(libc::SYS_memfd_secret, [0; 6]), "memfd_secret")?;
    ftruncate(&fd, 4096).unwrap();
    let expected = json!({
        "kind": "secretmem", "name": "secret memory, 4K", "secretmem": {"size": 4096},
        "path": {"$absent": true},
    });
    keeper.show("secretmem", fd, expected);
    Ok(())
}

fn userfaultfd(keeper: &mut Keeper) -> Result<(), Skip> {
    let flags = (libc::O_CLOEXEC | libc::O_NONBLOCK) as usize;
    let fd = needs(call_fd(libc::SYS_userfaultfd, [flags, 0, 0, 0, 0, 0]), "userfaultfd")?;
    keeper.show("faults", fd, json!({"kind": "userfaultfd", "userfaultfd": {"pending": 0, "total": 0}}));
    Ok(())
}
