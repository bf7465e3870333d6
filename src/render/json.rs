//! JSON: a document around an array, or a record a line.
//!
//! Records are written here and not by `serde_json`, which takes as long for one as the kernel takes
//! for the fd: it looks at each byte of each key and of each text that nothing is to be done about.
//! It writes the texts in which something is, and the numbers that have a fraction.

use super::{Batch, Format, Renderer};
use crate::model::{Cell, Column, Escape, Holder, Record, Tally, Value, append, deceives, escape, is_plain};
use serde::ser::Serialize as _;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// The version of the schema. Fields may be added to it; none changes or goes away.
const SCHEMA: u32 = 1;

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    if renderer.style.format == Format::Json {
        batch.bytes.extend_from_slice(b",\n    ");
    }
    row(batch, renderer, record);
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

/// A key of ours, in which nothing is to be escaped, with the comma before it and the colon after it.
type Key = Box<[u8]>;

fn key_of(name: &str) -> Key {
    format!(",\"{name}\":").into_bytes().into()
}

/// Where a column stands in a record: by itself, or in an object with others.
#[derive(Debug)]
pub(super) enum Place {
    /// The column of this number, under its own name.
    Plain(Key, usize),
    /// Columns of the object of this name, each under the part of its name that follows the dot.
    Object(&'static str, Key, Vec<(Key, usize)>),
}

/// Plain columns as they are; dotted ones in an object each, where its first one stands.
pub(super) fn places<R>(columns: &[Column<R>]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (nth, column) in columns.iter().enumerate() {
        let Some((object, key)) = column.field.name.split_once('.') else {
            places.push(Place::Plain(key_of(column.field.name), nth));
            continue;
        };
        let same = places.iter_mut().find_map(|place| match place {
            Place::Object(name, _, columns) if *name == object => Some(columns),
            _ => None,
        });
        match same {
            Some(columns) => columns.push((key_of(key), nth)),
            None => places.push(Place::Object(object, key_of(object), vec![(key_of(key), nth)])),
        }
    }
    places
}

/// A record. Its own object may be one of those that columns make.
fn row<R: Record>(batch: &mut Batch, renderer: &Renderer<R>, record: &R) {
    let columns = &renderer.columns;
    let mut own = record.object().filter(|_| renderer.objects);
    let start = batch.bytes.len();
    // None of them has a dot in its name, so that each has a place of its own.
    let (leading, places) = renderer.places.split_at(renderer.leading);
    let encode = |batch: &mut Batch| {
        for place in leading {
            if let Place::Plain(key, nth) = place {
                column(&mut batch.bytes, key, &columns[*nth], record);
            }
        }
    };
    batch.lead(record, encode, Vec::extend_from_within);
    let out = &mut batch.bytes;
    for place in places {
        match place {
            Place::Plain(key, nth) => column(out, key, &columns[*nth], record),
            Place::Object(name, key, members) => {
                let before = out.len();
                out.extend_from_slice(key);
                let start = out.len();
                for (key, nth) in members {
                    column(out, key, &columns[*nth], record);
                }
                if out.len() == start {
                    out.truncate(before);
                    continue;
                }
                if let Some((_, values)) = own.take_if(|(own, _)| own == name) {
                    entries(out, values);
                }
                enclose(out, start, *b"{}");
            }
        }
    }
    if let Some((name, values)) = own {
        key(out, name);
        map(out, values);
    }
    enclose(out, start, *b"{}");
}

fn column<R: Record>(out: &mut Vec<u8>, key: &Key, column: &Column<R>, record: &R) {
    if let Some(cell) = column.cell(record) {
        out.extend_from_slice(key);
        value(out, cell);
    }
}

/// Puts brackets around all from `start`, of which every part brings a comma.
fn enclose(out: &mut Vec<u8>, start: usize, [open, close]: [u8; 2]) {
    match out.get_mut(start) {
        Some(comma) => *comma = open,
        None => out.push(open),
    }
    out.push(close);
}

fn key(out: &mut Vec<u8>, name: &str) {
    append!(*out, ",\"", name, "\":");
}

fn entries(out: &mut Vec<u8>, values: &[(&'static str, Value)]) {
    for (name, of) in values {
        key(out, name);
        value(out, of.cell());
    }
}

fn map(out: &mut Vec<u8>, values: &[(&'static str, Value)]) {
    let start = out.len();
    entries(out, values);
    enclose(out, start, *b"{}");
}

fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    let start = out.len();
    for item in items {
        out.push(b',');
        each(out, item);
    }
    enclose(out, start, *b"[]");
}

fn value(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Cell::Int(n) => append!(*out, n),
        Cell::Uint(n) => append!(*out, n),
        Cell::Float(x) => serde_json::to_writer(out, &x).expect("writing JSON to memory does not fail"),
        Cell::Word(w) => append!(*out, "\"", w, "\""),
        Cell::Text(t) => text(out, t),
        Cell::Device(d) => append!(*out, "\"", d, "\""),
        Cell::Address(endpoint) => append!(*out, "\"", endpoint, "\""),
        Cell::Holders(holders) => list(out, holders, holder),
        Cell::Set(set) => {
            let start = out.len();
            set.each(|name| append!(*out, ",\"", name, "\""));
            enclose(out, start, *b"[]");
        }
        Cell::List(values) => list(out, values, |out, v| value(out, v.cell())),
        Cell::Map(values) => map(out, values),
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) {
        return append!(*out, "\"", bytes, "\"");
    }
    let mut serializer = serde_json::Serializer::with_formatter(out, Visible);
    let written = escape(bytes, Escape::Json).serialize(&mut serializer);
    written.expect("writing JSON to memory does not fail");
}

fn holder(out: &mut Vec<u8>, Holder { process, fd }: &Holder) {
    append!(*out, "{\"pid\":", process.pid.0, ",\"command\":");
    text(out, &process.command);
    append!(*out, ",\"fd\":", *fd, "}");
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
