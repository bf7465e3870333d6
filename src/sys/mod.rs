//! Raw system calls that neither nix nor rustix covers, and the only unsafe code of the project.

#![allow(unsafe_code)]

mod bpf;
mod epoll;
mod handle;
mod inherited;
mod iterator;
mod kcmp;
mod kernel_types;
mod mqueue;
mod netns;
mod parent;
mod poll;
mod prlimit;
mod process_vm;
mod select;
mod signals;
mod sockopt;
mod started;
mod unsent;

pub use bpf::name as bpf_name;
pub use epoll::{epoll_pwait2, epoll_wait};
pub use handle::open_by_handle;
pub use inherited::{FIRST_PASSED, pass_listeners, place, take_inherited};
pub use iterator::{iterate, load_iterator};
pub use kcmp::{
    Registered, compare_descriptions, has_registered, registered, same_epoll_target, same_fd_table,
};
pub use kernel_types::KernelTypes;
pub use mqueue::state as mqueue_state;
pub use netns::socket_netns;
pub use parent::end_with_us;
pub use poll::{is_open, poll};
pub use prlimit::prlimit;
pub use process_vm::read_memory;
pub use select::{FdSetWord, select};
pub use signals::{Came, catch_signal, die_by, forget_signal_fd, signal_fd, take_signal};
pub use sockopt::{
    TcpInfo, TcpTraffic, netns_cookie, received_memory, set_defer_accept, set_fast_open, socket_drops,
    tcp_info, tcp_traffic,
};
pub use started::{check_stdout, was_closed};
pub use unsent::unsent_bytes;
