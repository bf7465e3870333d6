//! Tables on a terminal, by `comfy-table`.

use super::plain::{GAP, cells, heading, is_right};
use super::{Batch, Renderer};
use crate::model::{Emphasis, Record};
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use std::io::{self, Write};

/// The most rows that are worth its price: 20 ms at 10 µs each is not felt.
const MOST_ROWS: usize = 2000;

/// Whether somebody is looking, and the table is short.
pub(super) fn suits<R>(renderer: &Renderer<R>, batch: &Batch) -> bool {
    renderer.style.terminal && batch.rows <= MOST_ROWS
}

pub(super) fn write<R: Record>(renderer: &Renderer<R>, batch: &Batch, out: &mut dyn Write) -> io::Result<()> {
    let columns = &renderer.columns;
    let mut table = Table::new();
    // Lines are not folded: a path that is cut in two cannot be copied.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if renderer.style.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if renderer.style.header {
        let cell = |c| Cell::new(heading(c)).add_attribute(Attribute::Bold);
        table.set_header(columns.iter().map(cell));
    }
    let mut cells = cells(renderer, batch);
    for emphasis in &batch.emphases {
        let cells = cells.by_ref().take(columns.len());
        let cells = cells.map(|(text, _)| std::str::from_utf8(text).unwrap_or("?"));
        let color = match emphasis {
            Emphasis::None => None,
            Emphasis::Notice => Some(Color::Yellow),
            Emphasis::Alarm => Some(Color::Red),
        };
        table.add_row(cells.map(|text| match color {
            Some(color) => Cell::new(text).fg(color),
            None => Cell::new(text),
        }));
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_padding((0, GAP as u16));
        if is_right(column) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
