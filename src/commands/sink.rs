//! Where events go: lines for people, records for programs.

use crate::context::complain;
use crate::error::Error;
use crate::model::{Record, Tally};
use crate::render::{Batch, Format, Renderer, Writer};
use jiff::tz::TimeZone;
use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// How many columns and rows a terminal has that does not tell.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Where events go.
pub(super) struct Sink<'o, R: 'static> {
    form: Form<'o, R>,
    /// Whether work goes on when nothing can be written any more.
    tolerant: bool,
    /// What became of the rest, once nothing can.
    dead: Option<Written>,
}

/// What became of all that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It was, as far as anybody wanted to read it.
    All,
    /// Some was not, which was told.
    InPart,
}

/// What events look like.
enum Form<'o, R: 'static> {
    /// A line each.
    Lines(Lines<'o, R>),
    /// A record each.
    Records {
        /// How.
        renderer: &'o Renderer<R>,
        /// Where.
        writer: Writer<'o, R>,
        /// What is not written yet: all that one turn brings, in one go.
        batch: Batch,
    },
    /// What a command makes of them.
    Own(Box<dyn Show<R> + 'o>),
}

/// A form of a command's own.
pub(super) trait Show<R> {
    /// Takes an event in.
    fn write(&mut self, event: &R) -> io::Result<()>;

    /// Has what came so far reach its reader.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes what is left.
    fn finish(&mut self) -> io::Result<()>;

    /// How often it wants to be flushed though nothing happens.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Leaves the terminal to others until it is flushed again.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines for people.
pub(super) struct Lines<'o, R> {
    out: &'o mut dyn Write,
    line: fn(&R, &Looks) -> String,
    looks: Looks,
    /// Whether there is a line that stays, and what it says.
    status: Option<String>,
    shown: bool,
}

/// How lines look.
pub(super) struct Looks {
    /// Times are of this zone.
    pub(super) zone: TimeZone,
    /// Whether to colour.
    pub(super) color: bool,
    /// Whether several of what events are about must be told apart.
    pub(super) several: bool,
}

impl Looks {
    /// In the zone of the system.
    pub(super) fn new(color: bool, several: bool) -> Self {
        Self { zone: TimeZone::system(), color, several }
    }
}

impl<'o, R: Record> Sink<'o, R> {
    /// A sink that writes to `out`, with a line that stays if that is wanted.
    pub(super) fn new(
        renderer: &'o Renderer<R>,
        out: &'o mut dyn Write,
        line: fn(&R, &Looks) -> String,
        several: bool,
        status: bool,
        tolerant: bool,
    ) -> Self {
        let form = if renderer.style.format == Format::Table {
            let looks = Looks::new(renderer.style.color, several);
            Form::Lines(Lines { out, line, looks, status: status.then(String::new), shown: false })
        } else {
            Form::Records { renderer, writer: Writer::new(renderer, out), batch: Batch::default() }
        };
        Self { form, tolerant, dead: None }
    }

    /// A sink with a form of the command's own.
    pub(super) fn own(show: Box<dyn Show<R> + 'o>) -> Self {
        Self { form: Form::Own(show), tolerant: false, dead: None }
    }

    /// Writes an event, but for what is still in buffers.
    pub(super) fn write(&mut self, event: &R) -> Result<(), Error> {
        self.unless_dead(|form| form.write(event))
    }

    /// Sets the line that stays, and writes all that is in buffers.
    pub(super) fn flush(&mut self, status: &str) -> Result<(), Error> {
        self.unless_dead(|form| form.flush(status))
    }

    /// Writes what is left.
    pub(super) fn finish(self) -> Result<Written, Error> {
        if let Some(written) = self.dead {
            return Ok(written);
        }
        match self.form.finish() {
            Err(e) if self.tolerant => Ok(go_on_without(e)),
            Err(e) => Err(Error::Output(e)),
            Ok(()) => Ok(Written::All),
        }
    }

    fn unless_dead(&mut self, write: impl FnOnce(&mut Form<'o, R>) -> io::Result<()>) -> Result<(), Error> {
        if self.dead.is_some() {
            return Ok(());
        }
        match write(&mut self.form) {
            Err(e) if self.tolerant => self.dead = Some(go_on_without(e)),
            Err(e) => return Err(Error::Output(e)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// How often it wants to be flushed though nothing happens.
    pub(super) fn pace(&self) -> Option<Duration> {
        if let Form::Own(show) = &self.form { show.pace() } else { None }
    }

    /// Leaves the terminal to others until it is flushed again.
    pub(super) fn pause(&mut self) -> Result<(), Error> {
        self.unless_dead(|form| if let Form::Own(show) = form { show.pause() } else { Ok(()) })
    }

    /// Whether there is a line that stays.
    pub(super) fn has_status(&self) -> bool {
        matches!(self.form, Form::Lines(Lines { status: Some(_), .. }))
    }
}

/// Tells why nothing more is written, unless its reader went away and knows.
fn go_on_without(error: io::Error) -> Written {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Written::All;
    }
    complain(&Error::Output(error).to_string());
    Written::InPart
}

impl<R: Record> Form<'_, R> {
    fn write(&mut self, event: &R) -> io::Result<()> {
        match self {
            Self::Lines(lines) => {
                lines.clear()?;
                let line = (lines.line)(event, &lines.looks);
                writeln!(lines.out, "{line}")
            }
            Self::Records { renderer, batch, .. } => {
                renderer.push(batch, event);
                Ok(())
            }
            Self::Own(show) => show.write(event),
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
            Self::Own(show) => show.flush(),
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
            Self::Own(mut show) => show.finish(),
        }
    }
}

impl<R> Lines<'_, R> {
    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.shown) && is_in_front() {
            write!(self.out, "\r\x1b[K")?;
        }
        Ok(())
    }

    fn show(&mut self, status: &str) -> io::Result<()> {
        let Some(old) = &mut self.status else { return Ok(()) };
        if self.shown && old == status || !is_in_front() {
            return Ok(());
        }
        status.clone_into(old);
        let (width, _) = terminal_size();
        // In the last column the cursor of some terminals is on the next line already.
        let status: String = status.chars().take(width - 1).collect();
        self.clear()?;
        write!(self.out, "{status}")?;
        self.shown = true;
        Ok(())
    }
}

/// How many columns and rows the terminal has now.
pub(super) fn terminal_size() -> (usize, usize) {
    let told = tcgetwinsize(io::stdout()).map_or((0, 0), |size| (size.ws_col.into(), size.ws_row.into()));
    // A terminal that nobody has given a size says 0.
    let or = |told, usual| if told == 0 { usual } else { told };
    (or(told.0, USUAL_SIZE.0), or(told.1, USUAL_SIZE.1))
}

/// Whether the terminal's line is ours to write on: that of a job in the background is where its
/// user types.
pub(super) fn is_in_front() -> bool {
    is_in_front_of(io::stdout())
}

/// The same of another fd that is a terminal.
pub(super) fn is_in_front_of(terminal: impl AsFd) -> bool {
    // It cannot be asked of a terminal that is not the one we are controlled by.
    tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}
