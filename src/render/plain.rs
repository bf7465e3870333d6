//! Aligned columns, for long or piped output: one buffer for all cells, and two passes over it.
//! `comfy-table` holds an allocation or more a cell and costs 5 to 10 µs a row, more than the
//! scan does; [`super::fancy`] uses it where rows are few and somebody is looking.

use super::{Batch, Renderer, tsv};
use crate::model::{
    Cell, Column, Emphasis, Escape, Holder, Record, Type, bytes, few_holders, push_escaped, seconds,
};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::ops::Range;
use unicode_width::UnicodeWidthStr as _;

/// Blanks between columns.
pub(super) const GAP: usize = 2;

/// What stands before a cell of a batch in place of its length, where that does not fit in a byte, or is
/// not how wide it is: it follows in four then.
const LONG: u8 = u8::MAX;

/// What stands for the leading cells of a row that are those of the row before: most rows' are, and a held
/// table is the largest thing there is.
const AGAIN: u8 = LONG - 1;

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    let columns = &renderer.columns;
    batch.widths.resize(columns.len(), 0);
    if renderer.leading > 0 {
        let encode = |batch: &mut Batch| encode(batch, columns, 0..renderer.leading, record);
        batch.lead(record, encode, |bytes, _| bytes.push(AGAIN));
    }
    encode(batch, columns, renderer.leading..columns.len(), record);
    batch.emphases.push(record.emphasis());
}

fn encode<R: Record>(batch: &mut Batch, columns: &[Column<R>], some: Range<usize>, record: &R) {
    for i in some {
        let start = batch.bytes.len();
        batch.bytes.push(0);
        cell(&mut batch.bytes, &columns[i], record);
        let text = &batch.bytes[start + 1..];
        let length = text.len();
        let width = if needs_width(columns, i) { display_width(text) } else { length };
        batch.widths[i] = batch.widths[i].max(width);
        if length < AGAIN.into() && length == width {
            batch.bytes[start] = length as u8;
        } else {
            let length = (length as u32).to_ne_bytes();
            batch.bytes.splice(start..=start, [LONG].into_iter().chain(length));
        }
    }
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

/// The cells of a held table, one row after the other, and how wide they are.
pub(super) fn cells<'b, R>(
    renderer: &Renderer<R>,
    batch: &'b Batch,
) -> impl Iterator<Item = (&'b [u8], usize)> {
    let (leading, columns) = (renderer.leading, renderer.columns.len());
    let mut rest = &batch.bytes[..];
    // Where the last leading cells begin, and what is left of them in a row that has them again.
    let (mut lead, mut again): (&[u8], Option<&[u8]>) = (rest, None);
    let mut nth = 0;
    std::iter::from_fn(move || {
        if nth == 0 && leading > 0 {
            again = None;
            match rest.split_first()? {
                (&AGAIN, after) => (rest, again) = (after, Some(lead)),
                _ => lead = rest,
            }
        }
        let from = again.as_mut().filter(|_| nth < leading).unwrap_or(&mut rest);
        nth = (nth + 1) % columns;
        take_cell(from)
    })
}

/// Takes the first cell.
fn take_cell<'b>(rest: &mut &'b [u8]) -> Option<(&'b [u8], usize)> {
    let text;
    match rest.split_first()? {
        (&LONG, after) => {
            let (length, after) = after.split_first_chunk()?;
            (text, *rest) = after.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
            Some((text, display_width(text)))
        }
        (&length, after) => {
            (text, *rest) = after.split_at_checked(length.into())?;
            Some((text, text.len()))
        }
    }
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
    let setting = |i: usize| {
        let heading = if renderer.style.header { headings[i].len() } else { 0 };
        Setting {
            width: needs_width(columns, i).then(|| batch.widths[i].max(heading)),
            is_right: is_right(&columns[i]),
            gap: if i + 1 < columns.len() { GAP } else { 0 },
        }
    };
    let settings: Vec<Setting> = (0..columns.len()).map(setting).collect();
    let mut page = Page::default();
    if renderer.style.header {
        let bold = renderer.style.color.then(|| Style::new().bold());
        page.row(&settings, headings.iter().map(|text| (text.as_bytes(), text.len())), bold);
    }
    let mut cells = cells(renderer, batch);
    for emphasis in &batch.emphases {
        let style = renderer.style.color.then(|| style(*emphasis)).flatten();
        page.row(&settings, &mut cells, style);
        // As much as is written without another copy.
        if page.end >= 1 << 16 {
            page.write(out)?;
        }
    }
    page.write(out)
}

/// How a row stands out.
fn style(emphasis: Emphasis) -> Option<Style> {
    match emphasis {
        Emphasis::None => None,
        Emphasis::Notice => Some(AnsiColor::Yellow.on_default()),
        Emphasis::Alarm => Some(AnsiColor::Red.on_default()),
    }
}

/// How the cells of a column are set.
struct Setting {
    /// How wide they are, where anything depends on it.
    width: Option<usize>,
    is_right: bool,
    /// The blanks after them.
    gap: usize,
}

/// Lines that are made on a ground of blanks.
#[derive(Default)]
struct Page {
    bytes: Vec<u8>,
    /// Where nothing was put yet.
    end: usize,
}

impl Page {
    /// Puts a line there: a cell for each setting.
    fn row<'c>(
        &mut self,
        settings: &[Setting],
        cells: impl Iterator<Item = (&'c [u8], usize)>,
        style: Option<Style>,
    ) {
        if let Some(style) = style {
            self.put(style.render().to_string().as_bytes());
        }
        for (setting, (text, width)) in settings.iter().zip(cells) {
            let blanks = setting.width.map_or(0, |widest| widest - width);
            if setting.is_right {
                self.end += blanks;
                self.put(text);
                self.end += setting.gap;
            } else {
                self.put(text);
                self.end += blanks + setting.gap;
            }
        }
        if let Some(style) = style {
            self.put(style.render_reset().to_string().as_bytes());
        }
        self.put(b"\n");
    }

    fn put(&mut self, text: &[u8]) {
        const MORE: usize = 1 << 12;
        let start = self.end;
        self.end += text.len();
        if self.end > self.bytes.len() {
            self.bytes.resize(self.end + MORE, b' ');
        }
        self.bytes[start..self.end].copy_from_slice(text);
    }

    /// Writes what is there, and starts anew.
    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let text = &mut self.bytes[..self.end];
        out.write_all(text)?;
        text.fill(b' ');
        self.end = 0;
        Ok(())
    }
}

/// The columns of a terminal that a text takes.
fn display_width(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { std::str::from_utf8(text).map_or(text.len(), |t| t.width()) }
}
