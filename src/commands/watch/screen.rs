//! The terminal that `--timeline` draws on: its other screen, so that what was on it comes back.

use super::event::{Event, What};
use super::lines;
use super::timeline::{Glyphs, Timeline};
use crate::commands::locale;
use crate::commands::sink::{Looks, Show, is_in_front, terminal_size};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How often it is drawn anew, at most.
const PACE: Duration = Duration::from_millis(100);

/// To the other screen, without a cursor; and back. Where there is no other one, the picture takes
/// the place of what was there, and goes.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[J";
const LEAVE: &str = "\x1b[H\x1b[J\x1b[?25h\x1b[?1049l";

/// A picture that moves, and what is left of it at the end.
pub(super) struct Screen<'o> {
    out: &'o mut dyn Write,
    timeline: Timeline,
    glyphs: Glyphs,
    looks: Looks,
    /// When the watch began.
    origin: Option<Instant>,
    drawn: Option<Instant>,
    /// Whether the other screen is shown.
    entered: bool,
    /// Whether the last picture is left behind.
    over: bool,
}

impl<'o> Screen<'o> {
    /// A screen that is not entered yet.
    pub(super) fn new(out: &'o mut dyn Write, timeline: Timeline, looks: Looks) -> Self {
        let glyphs = if locale::is_utf8() { Glyphs::UNICODE } else { Glyphs::ASCII };
        let (origin, drawn) = (None, None);
        Self { out, timeline, glyphs, looks, origin, drawn, entered: false, over: false }
    }

    fn picture(&mut self) -> Vec<String> {
        let now = self.origin.map_or(Duration::ZERO, |origin| origin.elapsed());
        self.timeline.tidy(now);
        let (width, height) = terminal_size();
        // In the last column the cursor of some terminals is on the next line already.
        self.timeline.draw(now, width - 1, height, self.glyphs)
    }

    fn draw(&mut self) -> io::Result<()> {
        let mut frame = String::from(if self.entered { "\x1b[H" } else { ENTER });
        frame.push_str(&self.picture().join("\x1b[K\r\n"));
        frame.push_str("\x1b[K\x1b[J");
        // Also if it is written in part only.
        self.entered = true;
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }

    fn leave(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.entered) {
            self.out.write_all(LEAVE.as_bytes())?;
        }
        self.out.flush()
    }

    /// Leaves the last picture where lines can follow it.
    fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(());
        }
        self.leave()?;
        for line in self.picture() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Show<Event> for Screen<'_> {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.origin = self.origin.or_else(|| Instant::now().checked_sub(event.elapsed));
        if let What::Summary(_) = event.what {
            self.end()?;
            return writeln!(self.out, "{}", lines::line(event, &self.looks));
        }
        self.timeline.take(event);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < PACE) {
            return Ok(());
        }
        self.drawn = Some(Instant::now());
        // In the background, the terminal is another's.
        if is_in_front() { self.draw() } else { Ok(()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end()?;
        self.out.flush()
    }

    fn pace(&self) -> Option<Duration> {
        Some(PACE)
    }

    fn pause(&mut self) -> io::Result<()> {
        self.drawn = None;
        self.leave()
    }
}

impl Drop for Screen<'_> {
    /// Whatever ends it, the terminal is as it was.
    fn drop(&mut self) {
        let _ = self.leave();
    }
}
