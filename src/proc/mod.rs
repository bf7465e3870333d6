//! Reading /proc: processes, their fds, their limits.
//!
//! [`Scanner`] is the hot path. It reads an fd in steps, each only where a column, a filter or
//! the kind asks for it: its number from the directory, its link, `statx` for a path, `fdinfo`,
//! and for a few kinds a duplicate that is closed at once. [`Plan`] says what is asked for, and
//! [`System`] keeps what all processes share (socket tables, mounts, user names). `sweep` looks at the
//! fds of all processes for one thing alone; `peers` finds the other ends of fds by it, and [`Shared`]
//! sorts fds into the descriptions that they share. [`ThreadReader`]
//! tells what threads wait in.

mod borrow;
mod cgroups;
mod container;
mod descriptions;
mod devices;
mod duplicate;
mod expense;
mod fd_table;
mod few;
mod filter;
mod handles;
mod holders;
mod io;
mod iterator;
mod limits;
mod lookup;
mod maps;
mod mounts;
mod networks;
mod part;
mod peers;
mod plan;
mod pool;
mod process;
mod pulse;
mod registrations;
mod relatives;
mod remote;
mod resolve;
mod root;
mod scan;
mod settings;
mod sweep;
mod system;
mod target;
mod threads;
mod transfers;
mod usage;

pub use descriptions::{Candidate, Compare, Incomparable, Kernel, Member, Shared};
pub use duplicate::Donor;
pub use expense::{Expense, Footprint};
pub use fd_table::FdTable;
pub use filter::PathFilter;
pub use holders::{holders, holders_on_ports, socket_holders, socket_of};
pub use iterator::{SharedTable, check_environment};
pub use limits::{LimitValue, Rlimit, limit_of, limits_of, set_limit};
pub use networks::{Network, Place, networks};
pub use peers::{Asked, look};
pub use plan::{Filter, Networks, Plan};
pub use pool::{run_all, run_ordered};
pub use process::{Home, OpenError, ProcessDir, command_of};
pub use pulse::{Identity, Pulse, Sort, is_ready, pulse, quiet_devices};
pub use relatives::{Parents, Relatives};
pub use root::ProcRoot;
pub use scan::{Scanner, Slice};
pub use settings::{Setting, system_setting, system_settings};
pub use sweep::{Failures, Swept};
pub use system::System;
pub use target::{Target, TargetError, Task, all_pids, no_process, resolve, resolve_tasks, task};
pub use threads::{Ran, RunClocks, ThreadReader, threads_of};
pub use usage::{Usage, UserUsage, count_fds};
