//! JSON: a document around an array, or a record a line.

use super::{Batch, Format, Renderer};
use crate::model::{Cell, Column, Escape, Holder, Record, Tally, Value, deceives, escape};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// The version of the schema. Fields may be added to it; none changes or goes away.
const SCHEMA: u32 = 1;

pub(super) fn push<R: Record>(renderer: &Renderer<R>, batch: &mut Batch, record: &R) {
    if renderer.style.format == Format::Json {
        batch.bytes.extend_from_slice(b",\n    ");
    }
    let mut serializer = serde_json::Serializer::with_formatter(&mut batch.bytes, Visible);
    Row { renderer, record }.serialize(&mut serializer).expect("writing JSON to memory does not fail");
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

struct Row<'a, R: 'static> {
    renderer: &'a Renderer<R>,
    record: &'a R,
}

impl<R: Record> Serialize for Row<'_, R> {
    /// The record's own object may be one of those that columns make.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut own = self.record.object().filter(|_| self.renderer.objects);
        for place in &self.renderer.places {
            match place {
                Place::Plain(nth) => {
                    let column = &self.renderer.columns[*nth];
                    if let Some(cell) = column.cell(self.record) {
                        map.serialize_entry(column.field.name, &Json(cell))?;
                    }
                }
                Place::Object(name, columns) => {
                    let is_there =
                        |(_, nth): &(_, usize)| self.renderer.columns[*nth].cell(self.record).is_some();
                    if let Some(first) = columns.iter().position(is_there) {
                        let more = own.take_if(|(own, _)| own == name).map_or(&[][..], |(_, values)| values);
                        map.serialize_entry(name, &Object { row: self, columns: &columns[first..], more })?;
                    }
                }
            }
        }
        if let Some((name, values)) = own {
            map.serialize_entry(name, &Json(Cell::Map(values)))?;
        }
        map.end()
    }
}

/// The chosen columns of one object.
struct Object<'a, 'r, R: 'static> {
    row: &'a Row<'r, R>,
    columns: &'a [(&'static str, usize)],
    /// What else belongs into it.
    more: &'a [(&'static str, Value)],
}

impl<R: Record> Serialize for Object<'_, '_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, nth) in self.columns {
            if let Some(cell) = self.row.renderer.columns[*nth].cell(self.row.record) {
                map.serialize_entry(key, &Json(cell))?;
            }
        }
        for (key, value) in self.more {
            map.serialize_entry(key, &Json(value.cell()))?;
        }
        map.end()
    }
}

struct Json<'a>(Cell<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(b) => serializer.serialize_bool(b),
            Cell::Int(n) => serializer.serialize_i64(n),
            Cell::Uint(n) => serializer.serialize_u64(n),
            Cell::Float(x) => serializer.serialize_f64(x),
            Cell::Text(t) => serializer.serialize_str(&escape(t, Escape::Json)),
            Cell::Device(d) => serializer.collect_str(&d),
            Cell::Address(endpoint) => serializer.collect_str(&endpoint),
            Cell::Holders(holders) => serializer.collect_seq(holders.iter().map(OneHolder)),
            Cell::Set(set) => {
                let mut names = Vec::new();
                set.each(|name| names.push(name.to_owned()));
                serializer.collect_seq(names)
            }
            Cell::List(values) => serializer.collect_seq(values.iter().map(|v: &Value| Json(v.cell()))),
            Cell::Map(entries) => serializer.collect_map(entries.iter().map(|(k, v)| (k, Json(v.cell())))),
        }
    }
}

struct OneHolder<'a>(&'a Holder);

impl Serialize for OneHolder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Holder { process, fd } = self.0;
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("pid", &process.pid.0)?;
        map.serialize_entry("command", &Json(Cell::Text(&process.command)))?;
        map.serialize_entry("fd", &fd.0)?;
        map.end()
    }
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
