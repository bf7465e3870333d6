//! Records to text. Nothing here knows what the records are of.
//!
//! Rendering has two halves, so that several cores can share it. A [`Renderer`] encodes single
//! records into a [`Batch`], on any thread; a [`Writer`] takes the batches in order and writes.
//! JSON lines and TSV are written as they come, a table is held until its widths are known.
//! To add a format, write its file and add its lines to [`Format`], [`Renderer::push`] and
//! [`Writer`].

mod fancy;
mod json;
mod plain;
mod tsv;

use crate::model::{Column, Emphasis, Pid, Process, Record, Tally};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

/// The output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    Table,
    /// One JSON document
    Json,
    /// A JSON record a line, as it is found
    Jsonl,
    /// Tab-separated, escaped, for cut and awk
    Tsv,
}

/// How all output of a run looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// Whether tables and TSV start with the names of the columns.
    pub header: bool,
    /// Whether to colour.
    pub color: bool,
    /// Whether the output is a terminal.
    pub terminal: bool,
}

/// What is shown, and how.
pub struct Renderer<R: 'static> {
    /// The looks.
    pub style: Style,
    /// The command that the records come from.
    pub command: &'static str,
    /// The columns, in order.
    pub columns: Vec<Column<R>>,
    /// Whether JSON records also get their own object, whatever it holds.
    pub objects: bool,
    /// Where the columns stand in JSON.
    places: Vec<json::Place>,
    /// How many columns come first that only depend on a record's subject.
    leading: usize,
}

/// Encoded records.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// How wide each column of a table is.
    widths: Vec<usize>,
    emphases: Vec<Emphasis>,
    rows: usize,
    /// Where the leading columns of the last record are, and of whom.
    lead: Option<(Arc<Process>, Option<Pid>, Range<usize>)>,
}

impl Batch {
    /// The number of records.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Empties it, for other records of the same renderer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.widths.clear();
        self.emphases.clear();
        self.rows = 0;
        self.lead = None;
    }

    /// Encodes the leading columns of a record; `again` says those before once more, if they are the same.
    fn lead(
        &mut self,
        record: &impl Record,
        encode: impl FnOnce(&mut Self),
        again: impl FnOnce(&mut Vec<u8>, Range<usize>),
    ) {
        let subject = record.subject();
        if let (Some((process, tid)), Some((last, of, lead))) = (subject, &self.lead)
            && Arc::ptr_eq(process, last)
            && tid == *of
        {
            return again(&mut self.bytes, lead.clone());
        }
        let start = self.bytes.len();
        encode(self);
        self.lead = subject.map(|(process, tid)| (Arc::clone(process), tid, start..self.bytes.len()));
    }
}

impl<R: Record> Renderer<R> {
    /// A renderer of these columns.
    pub fn new(style: Style, command: &'static str, columns: Vec<Column<R>>, objects: bool) -> Self {
        let places = json::places(&columns);
        let leading = columns.iter().take_while(|c| R::OF_SUBJECT.contains(&c.field.name)).count();
        Self { style, command, columns, objects, places, leading }
    }

    /// Writes records that are all there already.
    pub fn write_all(
        &self,
        out: &mut dyn Write,
        records: impl IntoIterator<Item = R>,
        tally: Tally,
    ) -> io::Result<()> {
        let mut batch = Batch::default();
        records.into_iter().for_each(|record| self.push(&mut batch, &record));
        let mut writer = Writer::new(self, out);
        writer.write(&batch)?;
        writer.finish(tally)
    }

    /// Encodes a record.
    pub fn push(&self, batch: &mut Batch, record: &R) {
        batch.rows += 1;
        match self.style.format {
            Format::Json | Format::Jsonl => json::push(self, batch, record),
            Format::Tsv => tsv::push(self, batch, record),
            Format::Table => plain::push(self, batch, record),
        }
    }
}

/// Writes batches, and what belongs around them.
pub struct Writer<'a, R: 'static> {
    renderer: &'a Renderer<R>,
    out: &'a mut dyn Write,
    held: Batch,
    started: bool,
    rows: usize,
}

impl<'a, R: Record> Writer<'a, R> {
    /// A writer that has written nothing yet.
    pub fn new(renderer: &'a Renderer<R>, out: &'a mut dyn Write) -> Self {
        Self { renderer, out, held: Batch::default(), started: false, rows: 0 }
    }

    /// The number of records so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Writes a batch, or holds it until the table's widths are known.
    pub fn write(&mut self, batch: &Batch) -> io::Result<()> {
        self.rows += batch.rows;
        self.start()?;
        match self.renderer.style.format {
            Format::Json => json::write(self.out, batch, self.rows == batch.rows),
            Format::Jsonl => {
                self.out.write_all(&batch.bytes)?;
                self.out.flush()
            }
            Format::Tsv => self.out.write_all(&batch.bytes),
            Format::Table => {
                plain::hold(&mut self.held, batch);
                Ok(())
            }
        }
    }

    /// Has what was written so far reach its reader; a table is still held.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes what is left: the table, or the end of the document.
    pub fn finish(mut self, tally: Tally) -> io::Result<()> {
        self.start()?;
        match self.renderer.style.format {
            Format::Json => json::finish(self.out, tally, self.rows)?,
            Format::Jsonl | Format::Tsv => {}
            Format::Table if self.rows == 0 => {}
            Format::Table if fancy::suits(self.renderer, &self.held) => {
                fancy::write(self.renderer, &self.held, self.out)?;
            }
            Format::Table => plain::write(self.renderer, &self.held, self.out)?,
        }
        self.out.flush()
    }

    fn start(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        match self.renderer.style.format {
            Format::Json => json::start(self.out, self.renderer.command),
            Format::Tsv if self.renderer.style.header => tsv::header(self.renderer, self.out),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Renderer, Style};
    use crate::model::{Assoc, Fd, FdNum, Pid, Process, Tally};
    use std::sync::Arc;

    fn row(process: &Arc<Process>, tid: Option<i32>, fd: i32, name: &[u8]) -> Fd {
        let (assoc, tid, name) = (Assoc::Fd(FdNum(fd)), tid.map(Pid), name.to_vec());
        Fd { assoc, tid, name, ..Fd::new(Arc::clone(process)) }
    }

    fn process(command: &[u8]) -> Arc<Process> {
        Arc::new(Process { pid: Pid(7), command: command.to_vec(), uid: 0, user: None })
    }

    /// The rows with these columns, and no heading.
    fn rendered(format: Format, columns: &[&str], rows: Vec<Fd>) -> String {
        let style = Style { format, header: false, color: false, terminal: false };
        let all = crate::commands::list_fields();
        let column = |name: &&str| *all.iter().find(|column| column.field.name == *name).unwrap();
        let renderer = Renderer::new(style, "list", columns.iter().map(column).collect(), false);
        let mut out = Vec::new();
        renderer.write_all(&mut out, rows, Tally::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_rows_have_in_common_is_that_of_each() {
        let (one, other) = (process(b"one"), process(b"other"));
        let rows = || {
            vec![
                row(&one, None, 1, b""),
                row(&one, None, 2, b""),
                row(&one, Some(8), 3, b""),
                row(&other, Some(8), 4, b""),
                row(&one, Some(8), 5, b""),
            ]
        };
        let columns = ["pid", "command", "tid", "fd"];
        assert_eq!(
            rendered(Format::Tsv, &columns, rows()),
            "7\tone\t\t1\n7\tone\t\t2\n7\tone\t8\t3\n7\tother\t8\t4\n7\tone\t8\t5\n"
        );
        assert_eq!(
            rendered(Format::Table, &columns, rows()),
            "7  one    -  1\n7  one    -  2\n7  one    8  3\n7  other  8  4\n7  one    8  5\n"
        );
        // Nothing but what they have in common.
        assert_eq!(
            rendered(Format::Table, &["pid", "command"], rows()),
            "7  one\n7  one\n7  one\n7  other\n7  one\n"
        );
        let long = process(&[b'x'; 254]);
        assert_eq!(
            rendered(
                Format::Table,
                &["command", "fd"],
                vec![row(&long, None, 1, b""), row(&long, None, 2, b"")]
            ),
            [1, 2].map(|fd| format!("{}  {fd}\n", "x".repeat(254))).concat()
        );
        assert_eq!(
            rendered(Format::Jsonl, &["pid", "tid", "fd", "command"], rows()),
            "{\"pid\":7,\"fd\":1,\"command\":\"one\"}\n\
             {\"pid\":7,\"fd\":2,\"command\":\"one\"}\n\
             {\"pid\":7,\"tid\":8,\"fd\":3,\"command\":\"one\"}\n\
             {\"pid\":7,\"tid\":8,\"fd\":4,\"command\":\"other\"}\n\
             {\"pid\":7,\"tid\":8,\"fd\":5,\"command\":\"one\"}\n"
        );
        assert_eq!(rendered(Format::Jsonl, &["tid"], vec![row(&one, None, 1, b"")]), "{}\n");
    }

    #[test]
    fn cells_of_any_length_stand_in_their_columns() {
        let one = process(b"one");
        for length in [0, 1, 253, 254, 255, 256, 60_000] {
            let name = "x".repeat(length);
            let rows = vec![row(&one, None, 1, name.as_bytes()), row(&one, None, 22, "日本".as_bytes())];
            let width = length.max(4);
            let name = if length == 0 { "-" } else { &name };
            assert_eq!(
                rendered(Format::Table, &["name", "fd"], rows),
                format!("{name:width$}   1\n日本{:1$}  22\n", "", width - 4)
            );
        }
    }
}
