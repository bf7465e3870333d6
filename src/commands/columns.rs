//! `--columns`: which fields, in which order.

use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{Cell, Column, Field, Record, Tally, column_table, nearest};
use crate::render::Renderer;

/// What `--columns` asks for.
pub(super) enum Choice<R: 'static> {
    /// These columns.
    Columns(Vec<Column<R>>),
    /// The list of columns there are.
    Help,
}

/// Reads `--columns`: names, with a leading `+` names to add to the default, or `help`.
pub(super) fn choose<R>(spec: &str, default: &[Column<R>], all: &[Column<R>]) -> Result<Choice<R>, Error> {
    if spec == "help" {
        return Ok(Choice::Help);
    }
    let (mut columns, names) = match spec.strip_prefix('+') {
        Some(names) => (default.to_vec(), names),
        None => (Vec::new(), spec),
    };
    for name in names.split(',').map(|n| n.strip_prefix('+').unwrap_or(n)) {
        let column = find(name, all)?;
        // A JSON object takes a name but once.
        if !columns.iter().any(|c: &Column<R>| c.field.name == column.field.name) {
            columns.push(column);
        }
    }
    Ok(Choice::Columns(columns))
}

fn find<R>(name: &str, all: &[Column<R>]) -> Result<Column<R>, Error> {
    all.iter().copied().find(|c| c.field.name == name).ok_or_else(|| {
        let nearest = nearest(name, all.iter().map(|c| c.field.name));
        let hint = nearest.map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
        Error::Usage(format!("--columns: there is no field '{name}'{hint} (--columns help lists them)"))
    })
}

/// Puts the columns that people read otherwise than programs in place of those of their names.
pub(super) fn for_people<R>(columns: &mut [Column<R>], shown: &[Column<R>]) {
    for column in columns {
        if let Some(shown) = shown.iter().find(|c| c.field.name == column.field.name) {
            *column = *shown;
        }
    }
}

/// `--columns help`.
pub(super) fn help<R>(
    context: &mut Context,
    command: &'static str,
    all: &[Column<R>],
) -> Result<Outcome, Error> {
    let renderer = Renderer::new(context.style, command, COLUMNS.to_vec(), false);
    let lines = all.iter().map(|c| Line(c.field));
    renderer.write_all(&mut context.out, lines, Tally::default()).map_err(Error::Output)?;
    Ok(Outcome::Met)
}

/// The fields of `--columns help`, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

struct Line(&'static Field);

impl Record for Line {}

const COLUMNS: &[Column<Line>] = column_table! {
    "field", String, "name of the field", |l| Some(Cell::Text(l.0.name.as_bytes()));
    "type", String, "what its values are", |l| Some(Cell::Text(l.0.ty.word().as_bytes()));
    "meaning", String, "what it says", |l| Some(Cell::Text(l.0.help.as_bytes()));
};
