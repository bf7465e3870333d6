//! Aligned columns, for long or piped output: one buffer for all cells, and two passes over it.
//! `comfy-table` holds an allocation or more a cell and costs 5 to 10 µs a row, more than the
//! scan does; [`super::fancy`] uses it where rows are few and somebody is looking.

use super::{Batch, Renderer, tsv};
use crate::model::{
    Cell, Column, Emphasis, Escape, Holder, Record, Type, bytes, escape, few_holders, seconds,
};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr as _;

/// Blanks between columns.
pub(super) const GAP: usize = 2;

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    for column in &renderer.columns {
        cell(&mut batch.bytes, column, record);
        batch.ends.push(batch.bytes.len() as u32);
    }
    batch.emphases.push(record.emphasis());
}

/// A value as people read it.
fn cell<R: Record>(out: &mut Vec<u8>, column: &Column<R>, record: &R) {
    match (column.cell(record), column.field.ty) {
        (None | Some(Cell::Null), _) => out.push(b'-'),
        (Some(Cell::Bool(b)), _) => out.extend_from_slice(if b { b"yes" } else { b"no" }),
        (Some(Cell::Uint(n)), Type::Size) => out.extend_from_slice(bytes(n).as_bytes()),
        (Some(Cell::Holders(holders)), _) => some_holders(out, holders),
        (Some(Cell::Float(x)), Type::Duration) => out.extend_from_slice(seconds(x).as_bytes()),
        (Some(Cell::Float(x)), _) => drop(write!(out, "{x:.1}")),
        (Some(value), _) => {
            let before = out.len();
            tsv::text(out, value, Escape::Table);
            if out.len() == before {
                out.push(b'-');
            }
        }
    }
}

/// `4243/nginx 8, 4244/nginx 8 and 30 more`.
fn some_holders(out: &mut Vec<u8>, holders: &[Holder]) {
    if holders.is_empty() {
        out.push(b'-');
    }
    few_holders(holders, out, |out, command| {
        out.extend_from_slice(escape(command, Escape::Table).as_bytes())
    });
}

pub(super) fn hold(held: &mut Batch, batch: &Batch) {
    let start = held.bytes.len() as u32;
    held.bytes.extend_from_slice(&batch.bytes);
    held.ends.extend(batch.ends.iter().map(|end| start + end));
    held.emphases.extend_from_slice(&batch.emphases);
    held.rows += batch.rows;
}

/// The cells of a held table, row by row.
pub(super) fn rows(
    batch: &Batch,
    columns: usize,
) -> impl Iterator<Item = (Emphasis, impl Iterator<Item = &str>)> {
    let start_of = |cell: usize| cell.checked_sub(1).map_or(0, |c| batch.ends[c] as usize);
    batch.emphases.iter().enumerate().map(move |(row, &emphasis)| {
        let cells = (row * columns..(row + 1) * columns).map(move |c| {
            std::str::from_utf8(&batch.bytes[start_of(c)..batch.ends[c] as usize]).unwrap_or("?")
        });
        (emphasis, cells)
    })
}

/// The heading of a column.
pub(super) fn heading<R>(column: &Column<R>) -> String {
    column.field.name.to_ascii_uppercase()
}

/// Whether a column's values stand at its right edge.
pub(super) fn is_right<R>(column: &Column<R>) -> bool {
    column.field.ty.is_number()
}

pub(super) fn write<R: Record>(renderer: &Renderer<R>, batch: &Batch, out: &mut dyn Write) -> io::Result<()> {
    let columns = &renderer.columns;
    let headings: Vec<String> = columns.iter().map(heading).collect();
    let mut widths: Vec<usize> = match renderer.style.header {
        true => headings.iter().map(String::len).collect(),
        false => vec![0; columns.len()],
    };
    for (_, cells) in rows(batch, columns.len()) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(display_width(cell));
        }
    }
    let mut line = Vec::with_capacity(1 << 16);
    if renderer.style.header {
        let bold = renderer.style.color.then(|| Style::new().bold());
        write_row(&mut line, columns, &widths, headings.iter().map(String::as_str), bold);
    }
    for (emphasis, cells) in rows(batch, columns.len()) {
        let style = renderer.style.color.then(|| style(emphasis)).flatten();
        write_row(&mut line, columns, &widths, cells, style);
        if line.len() > 60_000 {
            out.write_all(&line)?;
            line.clear();
        }
    }
    out.write_all(&line)
}

/// How a row stands out.
fn style(emphasis: Emphasis) -> Option<Style> {
    match emphasis {
        Emphasis::None => None,
        Emphasis::Notice => Some(AnsiColor::Yellow.on_default()),
        Emphasis::Alarm => Some(AnsiColor::Red.on_default()),
    }
}

fn write_row<'c, R>(
    line: &mut Vec<u8>,
    columns: &[Column<R>],
    widths: &[usize],
    cells: impl Iterator<Item = &'c str>,
    style: Option<Style>,
) {
    if let Some(style) = style {
        drop(write!(line, "{style}"));
    }
    let last = columns.len() - 1;
    for (i, cell) in cells.enumerate() {
        let blanks = widths[i] - display_width(cell);
        if is_right(&columns[i]) {
            pad(line, blanks);
            line.extend_from_slice(cell.as_bytes());
        } else {
            line.extend_from_slice(cell.as_bytes());
            if i < last {
                pad(line, blanks);
            }
        }
        if i < last {
            pad(line, GAP);
        }
    }
    if let Some(style) = style {
        drop(write!(line, "{style:#}"));
    }
    line.push(b'\n');
}

fn pad(line: &mut Vec<u8>, blanks: usize) {
    line.resize(line.len() + blanks, b' ');
}

/// The columns of a terminal that a text takes.
fn display_width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}
