//! Raw system calls that neither nix nor rustix covers, and the only unsafe code of the project.

#![allow(unsafe_code)]

mod bpf;
mod handle;
mod kcmp;
mod mqueue;
mod prlimit;

pub use bpf::name as bpf_name;
pub use handle::open_by_handle;
pub use kcmp::{same_epoll_target, same_fd_table};
pub use mqueue::state as mqueue_state;
pub use prlimit::prlimit;
