//! JSON: a document around an array, or a record a line.
//!
//! Records are written here and not by `serde_json`, which takes as long for one as the kernel takes
//! for the fd: it looks at each byte of each key and of each text that nothing is to be done about.
//! It writes the texts in which something is, and the numbers that have a fraction.

use super::{Batch, Format, Renderer};
use crate::model::{Cell, Column, Escape, Holder, Record, Tally, Value, deceives, escape, is_plain};
use serde::ser::Serialize as _;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// The version of the schema. Fields may be added to it; none changes or goes away.
const SCHEMA: u32 = 1;

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    if renderer.style.format == Format::Json {
        batch.bytes.extend_from_slice(b",\n    ");
    }
    row(&mut batch.bytes, renderer, record);
    if renderer.style.format == Format::Jsonl {
        batch.bytes.push(b'\n');
    }
}

pub(super) fn start(out: &mut dyn Write, command: &str) -> io::Result<()> {
    write!(out, "{{\n  \"schema\": {SCHEMA},\n  \"command\": \"{command}\",\n  \"records\": [")
}

pub(super) fn write(out: &mut dyn Write, batch: &Batch, first: bool) -> io::Result<()> {
    // Every record brings a comma; before the first there is none.
    out.write_all(if first { batch.bytes.strip_prefix(b",").unwrap_or(&batch.bytes) } else { &batch.bytes })
}

pub(super) fn finish(out: &mut dyn Write, tally: Tally, rows: usize) -> io::Result<()> {
    writeln!(
        out,
        "{}],\n  \"complete\": {},\n  \"denied\": {},\n  \"vanished\": {},\n  \"timed_out\": {}\n}}",
        if rows == 0 { "" } else { "\n  " },
        tally.complete(),
        tally.denied,
        tally.vanished,
        tally.timed_out
    )
}

/// Where a column stands in a record: by itself, or in an object with others.
#[derive(Debug)]
pub(super) enum Place {
    /// The column of this number, under its own name.
    Plain(usize),
    /// Columns of an object, each under the part of its name that follows the dot.
    Object(&'static str, Vec<(&'static str, usize)>),
}

/// Plain columns as they are; dotted ones in an object each, where its first one stands.
pub(super) fn places<R>(columns: &[Column<R>]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (nth, column) in columns.iter().enumerate() {
        let Some((object, key)) = column.field.name.split_once('.') else {
            places.push(Place::Plain(nth));
            continue;
        };
        let same = places.iter_mut().find_map(|place| match place {
            Place::Object(name, columns) if *name == object => Some(columns),
            _ => None,
        });
        match same {
            Some(columns) => columns.push((key, nth)),
            None => places.push(Place::Object(object, vec![(key, nth)])),
        }
    }
    places
}

/// A record. Its own object may be one of those that columns make.
fn row<R: Record>(out: &mut Vec<u8>, renderer: &Renderer<R>, record: &R) {
    let mut own = record.object().filter(|_| renderer.objects);
    out.push(b'{');
    for place in &renderer.places {
        match place {
            Place::Plain(nth) => {
                let column = &renderer.columns[*nth];
                if let Some(cell) = column.cell(record) {
                    key(out, column.field.name);
                    value(out, cell);
                }
            }
            Place::Object(name, columns) => {
                let cells = columns.iter().map(|&(key, nth)| (key, renderer.columns[nth].cell(record)));
                let mut cells = cells.filter_map(|(key, cell)| Some((key, cell?))).peekable();
                if cells.peek().is_some() {
                    let more = own.take_if(|(own, _)| own == name).map_or(&[][..], |(_, values)| values);
                    key(out, name);
                    object(out, cells.chain(entries(more)));
                }
            }
        }
    }
    if let Some((name, values)) = own {
        key(out, name);
        object(out, entries(values));
    }
    out.push(b'}');
}

fn entries<'v>(values: &'v [(&'static str, Value)]) -> impl Iterator<Item = (&'static str, Cell<'v>)> {
    values.iter().map(|(key, value)| (*key, value.cell()))
}

fn object<'c>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'static str, Cell<'c>)>) {
    out.push(b'{');
    for (name, cell) in entries {
        key(out, name);
        value(out, cell);
    }
    out.push(b'}');
}

/// A key of ours, in which nothing is to be escaped, and the comma before it.
fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(if out.last() == Some(&b'{') { b"\"" } else { b",\"" });
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (nth, item) in items.into_iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

fn value(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Cell::Int(n) => number(out, n),
        Cell::Uint(n) => number(out, n),
        Cell::Float(x) => serde_json::to_writer(out, &x).expect("writing JSON to memory does not fail"),
        Cell::Text(t) => text(out, t),
        Cell::Device(d) => drop(write!(out, "\"{d}\"")),
        Cell::Address(endpoint) => drop(write!(out, "\"{endpoint}\"")),
        Cell::Holders(holders) => list(out, holders, holder),
        Cell::Set(set) => {
            out.push(b'[');
            set.each(|name| {
                if out.last() != Some(&b'[') {
                    out.push(b',');
                }
                text(out, name.as_bytes());
            });
            out.push(b']');
        }
        Cell::List(values) => list(out, values, |out, v| value(out, v.cell())),
        Cell::Map(values) => object(out, entries(values)),
    }
}

fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) && !bytes.contains(&b'"') {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    let mut serializer = serde_json::Serializer::with_formatter(out, Visible);
    let written = escape(bytes, Escape::Json).serialize(&mut serializer);
    written.expect("writing JSON to memory does not fail");
}

fn holder(out: &mut Vec<u8>, holder: &Holder) {
    let Holder { process, fd } = holder;
    let cells = [
        ("pid", Cell::Int(process.pid.0.into())),
        ("command", Cell::Text(&process.command)),
        ("fd", Cell::Int(fd.0.into())),
    ];
    object(out, cells.into_iter());
}

/// Writes characters that deceive as `\uXXXX`: the same string to every parser, and harmless
/// where somebody reads the JSON itself.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\x7f') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| c == '\x7f' || deceives(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let c = rest[at..].chars().next().unwrap_or_default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}
