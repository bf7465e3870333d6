//! `--format trace`: the Trace Event Format, JSON that Perfetto and chrome://tracing open.
//!
//! An array of events: a process for each that has fds, a thread for each fd under each selector,
//! whose spans are what was in force on it. A span is one complete event (`X`), written when it is
//! over; viewers take events in any order. Times are in microseconds since the watch began.

use super::event::{Event, What, Who};
use super::tracks::Tracks;
use crate::commands::sink::Show;
use crate::model::{Escape, Readiness, escape};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The category of all events.
const CATEGORY: &str = "readiness";

/// The array of events, as it is written.
pub(super) struct Trace<'o> {
    out: &'o mut dyn Write,
    tracks: Tracks<State>,
    /// The processes whose names are written.
    named: BTreeSet<u32>,
    /// Whether conditions are told when they come alone, and not when they go.
    moments: bool,
    origin: Option<Instant>,
    begun: bool,
    finished: bool,
}

/// Where it is with one track.
#[derive(Default)]
struct State {
    named: bool,
    open: Option<Span>,
}

/// A span that is not over.
struct Span {
    since: Duration,
    readiness: Readiness,
    args: Map<String, Value>,
}

impl<'o> Trace<'o> {
    /// Nothing written yet, of these selectors. With `moments`, conditions have no end.
    pub(super) fn new(out: &'o mut dyn Write, selectors: Vec<&'static str>, moments: bool) -> Self {
        let (tracks, named) = (Tracks::new(selectors), BTreeSet::new());
        Self { out, tracks, named, moments, origin: None, begun: false, finished: false }
    }

    fn put(&mut self, event: &Value) -> io::Result<()> {
        let begun = std::mem::replace(&mut self.begun, true);
        self.out.write_all(if begun { b",\n" } else { b"[\n" })?;
        serde_json::to_writer(&mut *self.out, event).map_err(io::Error::from)
    }

    /// Names a track, and its process, before anything is on it.
    fn introduce(&mut self, id: usize) -> io::Result<()> {
        let several = self.tracks.several();
        let Some(track) = self.tracks.get_mut(id) else { return Ok(()) };
        if std::mem::replace(&mut track.value.named, true) {
            return Ok(());
        }
        let (pid, tid) = (pid(&track.who), tid(id));
        let mut name = title(&track.who);
        if several {
            name = format!("{name} ({})", track.selector);
        }
        let command = track.who.command.as_deref().unwrap_or(b"fdscope");
        let command = escape(command, Escape::Table).into_owned();
        let say =
            |what: &str, args: Value| json!({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": args});
        if self.named.insert(pid) {
            self.put(&say("process_name", json!({"name": command})))?;
        }
        self.put(&say("thread_name", json!({"name": name})))?;
        self.put(&say("thread_sort_index", json!({"sort_index": tid})))
    }

    /// Something that takes no time. `scope` is `g` for all, `p` for a process, `t` for a track.
    fn instant(&mut self, event: &Event, name: &str, scope: char, id: Option<usize>) -> io::Result<()> {
        let pid = event.who.as_deref().map_or(std::process::id(), pid);
        self.put(&json!({
            "ph": "i", "s": scope, "cat": CATEGORY, "name": name, "ts": micros(event.elapsed),
            "pid": pid, "tid": id.map_or(0, tid), "args": args(event),
        }))
    }

    /// Ends the span of a track.
    fn close(&mut self, id: usize, at: Duration) -> io::Result<()> {
        let Some(track) = self.tracks.get_mut(id) else { return Ok(()) };
        let Some(span) = track.value.open.take() else { return Ok(()) };
        let event = json!({
            "ph": "X", "cat": CATEGORY, "name": span.readiness.to_string(), "pid": pid(&track.who),
            "tid": tid(id), "ts": micros(span.since), "dur": micros(at).saturating_sub(micros(span.since)),
            "args": span.args,
        });
        self.put(&event)
    }

    /// What is in force on a track now.
    fn level(&mut self, id: usize, readiness: Readiness, event: &Event) -> io::Result<()> {
        let args = args(event);
        if let Some(track) = self.tracks.get_mut(id)
            && let Some(span) = &mut track.value.open
            && span.readiness == readiness
        {
            span.args.extend(args);
            return Ok(());
        }
        self.close(id, event.elapsed)?;
        if let Some(track) = self.tracks.get_mut(id)
            && !readiness.is_empty()
        {
            track.value.open = Some(Span { since: event.elapsed, readiness, args });
        }
        Ok(())
    }

    fn on_track(&mut self, id: usize, event: &Event) -> io::Result<()> {
        self.introduce(id)?;
        let moment = self.moments || event.seen.is_some_and(|seen| seen.trigger != "level");
        let readiness = event.seen.map(|seen| seen.readiness);
        if let Some(readiness) = readiness.filter(|_| !moment) {
            self.level(id, readiness, event)?;
        }
        match (&event.what, readiness) {
            (What::Ready, Some(readiness)) if moment => {
                self.instant(event, &readiness.to_string(), 't', Some(id))
            }
            (What::Opened | What::More | What::Hup | What::Error, _) => {
                self.instant(event, event.name(), 't', Some(id))
            }
            (What::Closed { .. } | What::End | What::Exited, _) => {
                self.close(id, event.elapsed)?;
                if !matches!(event.what, What::Exited) {
                    self.instant(event, event.name(), 't', Some(id))?;
                }
                self.tracks.remove(id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let now = self.origin.map_or(Duration::ZERO, |origin| origin.elapsed());
        let open: Vec<usize> =
            self.tracks.iter().filter(|(_, t)| t.value.open.is_some()).map(|t| t.0).collect();
        for id in open {
            self.close(id, now)?;
        }
        self.out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()
    }
}

impl Show<Event> for Trace<'_> {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.origin = self.origin.or_else(|| Instant::now().checked_sub(event.elapsed));
        match &event.what {
            What::Summary(_) => return Ok(()),
            What::Armed { targets } => {
                for who in targets {
                    for id in self.tracks.add(who) {
                        self.introduce(id)?;
                    }
                }
                return self.instant(event, event.name(), 'g', None);
            }
            What::Timeout => return self.instant(event, event.name(), 'g', None),
            What::Exited => self.instant(event, event.name(), 'p', None)?,
            _ => {}
        }
        for id in self.tracks.of(event) {
            self.on_track(id, event)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end()
    }
}

impl Drop for Trace<'_> {
    /// Whatever ends it, what is written is whole.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn pid(who: &Who) -> u32 {
    who.pid.map_or_else(std::process::id, |pid| pid.0 as u32)
}

/// The number of a track. To viewers, 0 is no thread but the idle one; and fd numbers come again.
fn tid(id: usize) -> usize {
    id + 1
}

/// `7 pipe pipe:[4026]`.
fn title(who: &Who) -> String {
    let fd = who.fd.map(|fd| fd.to_string()).unwrap_or_default();
    let name = escape(&who.name, Escape::Table);
    [&fd, who.kind.as_str(), &*name]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// What else is known.
fn args(event: &Event) -> Map<String, Value> {
    let mut args = Map::new();
    let mut put = |name: &str, value: Value| drop(args.insert(name.to_owned(), value));
    match &event.what {
        What::Armed { targets } => {
            put("targets", targets.len().into());
            put("time", event.time.to_string().into());
        }
        What::Closed { reused } => put("reused", (*reused).into()),
        _ => {}
    }
    if let Some(seen) = event.seen {
        put("selector", seen.selector.into());
        put("trigger", seen.trigger.into());
        put("readiness", seen.readiness.to_string().into());
    }
    let facts = &event.facts;
    for (name, number) in [
        ("raw", event.seen.and_then(|seen| seen.raw).map(u64::from)),
        ("readable_bytes", facts.readable_bytes),
        ("unsent_bytes", facts.unsent_bytes),
        ("queue", facts.queue),
        ("count", facts.count),
    ] {
        if let Some(number) = number {
            put(name, number.into());
        }
    }
    for (name, error) in [("socket_error", &facts.socket_error), ("read_error", &facts.read_error)] {
        if let Some(error) = error {
            put(name, error.as_str().into());
        }
    }
    args
}

#[cfg(test)]
mod tests;
