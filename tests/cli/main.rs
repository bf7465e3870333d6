//! fdscope as its users meet it: the built program, on live processes and on made-up ones.

mod exhibits;
mod support;

mod bad_input;
mod bench;
mod bpf;
mod fake_proc;
mod hang;
mod hidepid;
mod limits;
mod list;
mod listen;
mod loops;
mod output;
mod path;
mod peers;
mod pid_namespace;
mod selecting;
mod shared;
mod sockets;
mod targets;
mod threads;
mod torn;
mod watch;
mod watch_show;
mod where_;
