//! Where events go: lines for people, records for programs.

use super::event::{COLUMNS, Event};
use super::lines;
use crate::error::Error;
use crate::model::Tally;
use crate::render::{Batch, Format, Renderer, Style, Writer};
use jiff::tz::TimeZone;
use rustix::termios::tcgetwinsize;
use std::io::{self, Write};

/// How wide a terminal is that does not tell.
const USUAL_WIDTH: usize = 80;

/// Where events go.
pub(super) struct Sink<'o> {
    form: Form<'o>,
    /// Whether work goes on without anybody who reads of it.
    tolerant: bool,
    dead: bool,
}

/// What events look like.
enum Form<'o> {
    /// A line each.
    Lines(Lines<'o>),
    /// A record each.
    Records {
        /// How.
        renderer: &'o Renderer<Event>,
        /// Where.
        writer: Writer<'o, Event>,
        /// What is not written yet: all that one turn brings, in one go.
        batch: Batch,
    },
}

/// Lines for people.
pub(super) struct Lines<'o> {
    out: &'o mut dyn Write,
    zone: TimeZone,
    color: bool,
    /// Whether several listeners must be told apart.
    several: bool,
    /// Whether there is a line that stays, and what it says.
    status: Option<String>,
    shown: bool,
}

/// The renderer of events.
pub(super) fn renderer(style: Style) -> Renderer<Event> {
    Renderer::new(style, "listen", COLUMNS.to_vec(), false)
}

impl<'o> Sink<'o> {
    /// A sink that writes to `out`, with a line that stays if that is wanted.
    pub(super) fn new(
        renderer: &'o Renderer<Event>,
        out: &'o mut dyn Write,
        several: bool,
        status: bool,
        tolerant: bool,
    ) -> Self {
        let form = if renderer.style.format == Format::Table {
            let color = renderer.style.color;
            let status = status.then(String::new);
            Form::Lines(Lines { out, zone: TimeZone::system(), color, several, status, shown: false })
        } else {
            Form::Records { renderer, writer: Writer::new(renderer, out), batch: Batch::default() }
        };
        Self { form, tolerant, dead: false }
    }

    /// Writes an event, but for what is still in buffers.
    pub(super) fn write(&mut self, event: &Event) -> Result<(), Error> {
        self.unless_dead(|form| form.write(event))
    }

    /// Sets the line that stays, and writes all that is in buffers.
    pub(super) fn flush(&mut self, status: &str) -> Result<(), Error> {
        self.unless_dead(|form| form.flush(status))
    }

    /// Writes what is left.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.dead {
            return Ok(());
        }
        let tolerant = self.tolerant;
        match self.form.finish() {
            Err(e) if !tolerant => Err(Error::Output(e)),
            _ => Ok(()),
        }
    }

    fn unless_dead(&mut self, write: impl FnOnce(&mut Form<'o>) -> io::Result<()>) -> Result<(), Error> {
        if self.dead {
            return Ok(());
        }
        match write(&mut self.form) {
            Err(_) if self.tolerant => self.dead = true,
            Err(e) => return Err(Error::Output(e)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Whether there is a line that stays.
    pub(super) fn has_status(&self) -> bool {
        matches!(self.form, Form::Lines(Lines { status: Some(_), .. }))
    }
}

impl Form<'_> {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        match self {
            Self::Lines(lines) => {
                lines.clear()?;
                let line = lines::line(event, &lines.zone, lines.color, lines.several);
                writeln!(lines.out, "{line}")
            }
            Self::Records { renderer, batch, .. } => {
                renderer.push(batch, event);
                Ok(())
            }
        }
    }

    fn flush(&mut self, status: &str) -> io::Result<()> {
        match self {
            Self::Lines(lines) => {
                lines.show(status)?;
                lines.out.flush()
            }
            Self::Records { writer, batch, .. } => {
                if batch.rows() > 0 {
                    writer.write(&std::mem::take(batch))?;
                }
                writer.flush()
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Lines(mut lines) => {
                lines.clear()?;
                lines.out.flush()
            }
            Self::Records { mut writer, batch, .. } => {
                writer.write(&batch)?;
                writer.finish(Tally::default())
            }
        }
    }
}

impl Lines<'_> {
    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.shown) {
            write!(self.out, "\r\x1b[K")?;
        }
        Ok(())
    }

    fn show(&mut self, status: &str) -> io::Result<()> {
        let Some(old) = &mut self.status else { return Ok(()) };
        if self.shown && old == status {
            return Ok(());
        }
        status.clone_into(old);
        let width = tcgetwinsize(io::stdout()).map_or(USUAL_WIDTH, |size| size.ws_col.into());
        // In the last column the cursor of some terminals is on the next line already.
        let status: String = status.chars().take(width.max(2) - 1).collect();
        self.clear()?;
        write!(self.out, "{status}")?;
        self.shown = true;
        Ok(())
    }
}
