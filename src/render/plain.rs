//! Aligned columns, for long or piped output: one buffer for all cells, and two passes over it.
//! `comfy-table` holds an allocation or more a cell and costs 5 to 10 µs a row, more than the
//! scan does; [`super::fancy`] uses it where rows are few and somebody is looking.

use super::{Batch, Renderer, tsv};
use crate::model::{
    Cell, Column, Emphasis, Escape, Holder, Record, Type, bytes, few_holders, push_escaped, seconds,
};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr as _;

/// Blanks between columns.
pub(super) const GAP: usize = 2;

/// What follows each cell of a batch, and the last one of a row: both are escaped in cells.
const CELL_END: u8 = b'\t';
const ROW_END: u8 = b'\n';

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    let columns = &renderer.columns;
    batch.widths.resize(columns.len(), 0);
    for (i, column) in columns.iter().enumerate() {
        let start = batch.bytes.len();
        cell(&mut batch.bytes, column, record);
        if needs_width(columns, i) {
            batch.widths[i] = batch.widths[i].max(display_width(&batch.bytes[start..]));
        }
        batch.bytes.push(if i + 1 < columns.len() { CELL_END } else { ROW_END });
    }
    batch.emphases.push(record.emphasis());
}

/// Whether anything depends on how wide a column is: at the right edge it may be ragged.
fn needs_width<R>(columns: &[Column<R>], column: usize) -> bool {
    column + 1 < columns.len() || is_right(&columns[column])
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
    few_holders(holders, out, |out, command| push_escaped(out, command, Escape::Table));
}

pub(super) fn hold(held: &mut Batch, batch: &Batch) {
    held.bytes.extend_from_slice(&batch.bytes);
    held.emphases.extend_from_slice(&batch.emphases);
    held.widths.resize(held.widths.len().max(batch.widths.len()), 0);
    for (width, more) in held.widths.iter_mut().zip(&batch.widths) {
        *width = (*width).max(*more);
    }
    held.rows += batch.rows;
}

/// The cells of a held table, row by row.
pub(super) fn rows(batch: &Batch) -> impl Iterator<Item = (Emphasis, impl Iterator<Item = &[u8]>)> {
    let rows = cells(&batch.bytes, ROW_END);
    batch.emphases.iter().copied().zip(rows.map(|row| cells(row, CELL_END)))
}

/// The parts of a text that end with `end`, which the last one need not have.
fn cells(text: &[u8], end: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |&byte| byte == end)
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
    let mut widths = batch.widths.clone();
    if renderer.style.header {
        for (width, heading) in widths.iter_mut().zip(&headings) {
            *width = (*width).max(heading.len());
        }
    }
    let mut line = Vec::with_capacity(1 << 16);
    if renderer.style.header {
        let bold = renderer.style.color.then(|| Style::new().bold());
        write_row(&mut line, columns, &widths, headings.iter().map(String::as_bytes), bold);
    }
    for (emphasis, cells) in rows(batch) {
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
    cells: impl Iterator<Item = &'c [u8]>,
    style: Option<Style>,
) {
    if let Some(style) = style {
        drop(write!(line, "{style}"));
    }
    let last = columns.len() - 1;
    for (i, cell) in cells.enumerate() {
        let blanks = if needs_width(columns, i) { widths[i] - display_width(cell) } else { 0 };
        if is_right(&columns[i]) {
            pad(line, blanks);
            line.extend_from_slice(cell);
        } else {
            line.extend_from_slice(cell);
            pad(line, blanks);
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
fn display_width(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { std::str::from_utf8(text).map_or(text.len(), |t| t.width()) }
}
