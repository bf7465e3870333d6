//! Tab-separated values: a line a record, a header with the fields' names. Absent and unknown
//! values are empty; lists are joined by commas, records in a list by semicolons.

use super::{Batch, Renderer};
use crate::model::{Cell, Column, Escape, Holder, Record, append, escape, push_escaped};
use std::io::{self, Write};

pub(super) fn header<R: Record>(renderer: &Renderer<R>, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = renderer.columns.iter().map(|c| c.field.name).collect();
    writeln!(out, "{}", names.join("\t"))
}

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    let (leading, columns) = renderer.columns.split_at(renderer.leading);
    batch.lead(record, |batch| cells(&mut batch.bytes, leading, record), Vec::extend_from_within);
    cells(&mut batch.bytes, columns, record);
    if let Some(last) = batch.bytes.last_mut() {
        *last = b'\n';
    }
}

/// Cells, with a tab after each.
fn cells<R: Record>(out: &mut Vec<u8>, columns: &[Column<R>], record: &R) {
    for column in columns {
        if let Some(cell) = column.cell(record) {
            text(out, cell, Escape::Tsv);
        }
        out.push(b'\t');
    }
}

/// `PID/COMMAND:FD`. Commas and semicolons in a command's name are escaped as bytes are.
pub(super) fn holder(out: &mut Vec<u8>, holder: &Holder, how: Escape) {
    let Holder { process, fd } = holder;
    append!(*out, process.pid.0, "/");
    for c in escape(&process.command, how).chars() {
        match c {
            ',' => out.extend_from_slice(b"\\x2c"),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    append!(*out, ":", *fd);
}

/// A value as text without structure.
pub(super) fn text(out: &mut Vec<u8>, cell: Cell<'_>, how: Escape) {
    match cell {
        Cell::Null => {}
        Cell::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Cell::Int(n) => append!(*out, n),
        Cell::Uint(n) => append!(*out, n),
        Cell::Float(x) => drop(write!(out, "{x}")),
        Cell::Word(w) => append!(*out, w),
        Cell::Text(t) => push_escaped(out, t, how),
        Cell::Device(d) => append!(*out, d),
        Cell::Address(endpoint) => append!(*out, endpoint),
        Cell::Holders(holders) => {
            for (i, holder) in holders.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                self::holder(out, holder, how);
            }
        }
        Cell::Set(set) => {
            let mut first = true;
            set.each(|name| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                out.extend_from_slice(name.as_bytes());
            });
        }
        Cell::List(values) => {
            for (i, value) in values.iter().enumerate() {
                let cell = value.cell();
                if i > 0 {
                    out.push(if matches!(cell, Cell::Map(_)) { b';' } else { b',' });
                }
                text(out, cell, how);
            }
        }
        Cell::Map(entries) => {
            for (i, (key, value)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(key.as_bytes());
                out.push(b'=');
                text(out, value.cell(), how);
            }
        }
    }
}
