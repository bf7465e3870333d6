//! Plain data: what the collectors fill in and the renderers read. No I/O, and no use of any
//! other room of the house.

mod accept_queue;
mod access;
mod bitset;
mod endpoint;
mod errno;
mod escape;
mod fd;
mod fd_fields;
mod field;
mod holder;
mod ids;
mod limit;
mod nearest;
mod number;
mod process;
mod ranges;
mod readiness;
mod record;
mod socket;
mod tally;
mod units;
mod value;

pub use accept_queue::AcceptQueue;
pub use access::{Access, OpenFlags};
pub use bitset::BitSet;
pub use endpoint::Endpoint;
pub use errno::{errno_name, errno_words};
pub use escape::{Escape, deceives, escape, neutralise};
pub use fd::{Assoc, Fd};
pub use fd_fields::COMMON as FD_FIELDS;
pub use field::{Field, Type};
pub use holder::Holder;
pub use ids::{Device, FdNum, Inode, Pid};
pub use limit::{Resource, Unit};
pub use nearest::nearest;
pub use number::{decimal, hex, octal, signed};
pub use process::Process;
pub use ranges::FdRanges;
pub use readiness::{Interest, Readiness};
pub(crate) use record::column_table;
pub use record::{Column, Emphasis, Getter, Record};
pub use socket::{Family, Socket, SocketDetail, SocketTimer, VsockAddress};
pub use tally::Tally;
pub use units::{bytes, parse_bytes, percent, quantity, seconds};
pub use value::{Cell, Value};
