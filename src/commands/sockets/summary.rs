//! `sockets --summary`: sums instead of sockets.

use super::gather::Data;
use crate::context::Context;
use crate::model::{Cell, Column, Family, Field, Inode, Record, column_table};
use crate::render::Renderer;
use std::io;

/// The sockets of one family in one state.
struct Sum {
    family: Family,
    state: Option<&'static str>,
    sockets: u64,
    unowned: u64,
    recv_queue: u64,
    send_queue: u64,
}

impl Record for Sum {}

const COLUMNS: &[Column<Sum>] = column_table! {
    "family", String, "the family", |s| Some(Cell::Text(s.family.word().as_bytes()));
    "state", String, "the state", |s| s.state.map(|state| Cell::Text(state.as_bytes()));
    "sockets", Integer, "how many sockets of the family are in that state", |s| Some(Cell::Uint(s.sockets));
    "without_file", Integer, "how many of them belong to no file, and so to nobody: closed, or not accepted yet",
        |s| Some(Cell::Uint(s.unowned));
    "recv_queue", Integer, "sum of their receive queues; of listeners, connections that wait",
        |s| Some(Cell::Uint(s.recv_queue));
    "send_queue", Integer, "sum of their send queues", |s| Some(Cell::Uint(s.send_queue));
};

/// The fields, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

/// Writes the sums of the sockets that were chosen.
pub(super) fn write(chosen: &[(usize, usize)], data: &Data, context: &mut Context) -> io::Result<()> {
    let mut sums: Vec<Sum> = Vec::new();
    for &(place, nth) in chosen {
        let socket = &data.sockets[place][nth];
        let is = |sum: &Sum| sum.family == socket.family && sum.state == socket.state;
        let at = sums.iter().position(is).unwrap_or_else(|| {
            let (family, state) = (socket.family, socket.state);
            sums.push(Sum { family, state, sockets: 0, unowned: 0, recv_queue: 0, send_queue: 0 });
            sums.len() - 1
        });
        let sum = &mut sums[at];
        sum.sockets += 1;
        sum.unowned += u64::from(socket.inode == Inode(0));
        sum.recv_queue += socket.recv_queue.unwrap_or(0);
        sum.send_queue += socket.send_queue.unwrap_or(0);
    }
    let family = |sum: &Sum| Family::ALL.iter().position(|family| *family == sum.family);
    sums.sort_by_key(|sum| (family(sum), std::cmp::Reverse(sum.sockets), sum.state));
    let renderer = Renderer::new(context.style, "sockets", COLUMNS.to_vec(), false);
    renderer.write_all(&mut context.out, sums, data.tally)
}
