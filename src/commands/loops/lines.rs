//! Events as people read them: a line each, and for a loop a few.

use super::event::{Description, Event, Fd, Hand, Shown, Summary, Watched, What, Who};
use crate::commands::sink::Looks;
use crate::commands::words::{join, time};
use crate::model::{Emphasis, Escape, Record as _, bytes, escape, quantity};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use std::time::Duration;
use unicode_width::UnicodeWidthStr as _;

/// How wide the name of an event is at most.
const NAME: usize = 9;
/// How wide the name of a loop is at least.
const LOOP: usize = 8;
/// How many registrations of a loop are shown if not all are; twice that if so many are ready or stale.
const SHOWN: usize = 20;
/// How many fds a line names.
const NAMED: usize = 4;
/// What parts the parts of a line.
const BETWEEN: &str = "; ";

/// The line of an event.
pub(super) fn line(event: &Event, looks: &Looks) -> String {
    let time = event.time.to_zoned(looks.zone.clone()).strftime("%H:%M:%S%.3f");
    let style = match event.emphasis() {
        _ if !looks.color => Style::new(),
        Emphasis::None => Style::new(),
        Emphasis::Notice => AnsiColor::Yellow.on_default(),
        Emphasis::Alarm => AnsiColor::Red.on_default(),
    };
    let name = event.name();
    let text = match &event.what {
        What::Loop(description) if description.shown != Shown::Nothing => {
            return block(event, description);
        }
        _ => format!("{name:NAME$}  {:LOOP$}  {}", short(&event.who), say(event)),
    };
    format!("{time}  {style}{}{style:#}", text.trim_end())
}

/// A loop in a few letters: its process, and its epoll fd or its thread.
fn short(who: &Who) -> String {
    match (who.epoll, who.tid) {
        (Some(epoll), _) => format!("{}:{epoll}", who.pid),
        (None, Some(tid)) if tid != who.pid => format!("{}/{tid}", who.pid),
        _ => who.pid.to_string(),
    }
}

fn say(event: &Event) -> String {
    let hand = || event.hand.as_ref().map(doing).unwrap_or_default();
    match &event.what {
        What::Loop(description) => join(
            [
                head(event, description),
                also(description),
                watches(description),
                description.note.clone().unwrap_or_default(),
            ],
            BETWEEN,
        ),
        What::Stalled { lasted } => {
            let fds = named(event, |fd| waits(fd, true));
            let thread = event.hand.as_ref().map_or_else(|| "its thread is not known".to_owned(), doing);
            join([format!("for {} so far", time(*lasted)), thread, fds], BETWEEN)
        }
        What::Recovered { lasted } => join(
            [format!("after {}", time(*lasted)), hand(), event.progress.clone().unwrap_or_default()],
            BETWEEN,
        ),
        What::Spinning { lasted, turns } => {
            let sure = if *turns { "turns without serving" } else { "likely turns without serving" };
            join(
                [format!("{sure} {} for {}", named(event, |fd| waits(fd, false)), time(*lasted)), hand()],
                BETWEEN,
            )
        }
        What::Closed => "the loop is closed".to_owned(),
        What::Exited => "the process has ended".to_owned(),
        What::Summary(summary) => sums_up(event, summary),
    }
}

/// A loop with all that it watches.
fn block(event: &Event, description: &Description) -> String {
    let mut text = format!(
        "{}  {}",
        short(&event.who),
        join([head(event, description), also(description), watches(description)], BETWEEN)
    );
    let indent = "    ";
    if let Some(note) = &description.note {
        let _ = write!(text, "\n{indent}{note}");
    }
    match (&description.threads[..], &event.hand) {
        ([], None) => _ = write!(text, "\n{indent}no thread was seen to wait in it"),
        ([], Some(hand)) => _ = write!(text, "\n{indent}{}", doing(hand)),
        (threads, hand) => {
            for (tid, name) in threads.iter().take(NAMED) {
                let what = hand.as_ref().filter(|hand| hand.tid == *tid);
                let what = what.map_or_else(|| "waits in it".to_owned(), |hand| shown(&hand.doing));
                let _ = write!(text, "\n{indent}thread {tid} {}: {what}", shown(name));
            }
            if threads.len() > NAMED {
                let _ = write!(text, "\n{indent}and {} more threads wait in it", threads.len() - NAMED);
            }
        }
    }
    let (rows, left) = chosen(description);
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(&rows));
    }
    if left > 0 {
        let _ = write!(text, "\n{indent}and {left} more; --all shows them");
    }
    text
}

/// With what it waits, and whether something waits for it.
fn head(event: &Event, description: &Description) -> String {
    let selector = event.who.selector.unwrap_or_default();
    let ready = match description.ready {
        Some(true) => ", ready",
        Some(false) => ", idle",
        None => "",
    };
    format!("{} {selector}{ready}", shown(&event.who.command))
}

/// `fd 5 is the same`.
fn also(description: &Description) -> String {
    let numbers: Vec<String> = description.also.iter().take(NAMED).map(ToString::to_string).collect();
    let more = description.also.len().saturating_sub(numbers.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match &numbers[..] {
        [] => String::new(),
        [one] => format!("fd {one} is the same"),
        _ => format!("fds {}{more} are the same", numbers.join(", ")),
    }
}

fn watches(description: &Description) -> String {
    let count = description.registrations.len();
    if count == 0 {
        return String::new();
    }
    let kinds: Vec<String> =
        description.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let stale = match description.stale {
        0 => String::new(),
        stale => format!("; {stale} stale"),
    };
    format!("watches {}: {}{stale}", quantity(count, "fd", "fds"), kinds.join(", "))
}

/// The registrations to be shown, and how many are left out.
fn chosen(description: &Description) -> (Vec<&Watched>, usize) {
    let all: Vec<&Watched> = description.registrations.iter().collect();
    if description.shown == Shown::All || all.len() <= SHOWN {
        return (all, 0);
    }
    let is_news = |row: &&Watched| {
        row.suspect || row.stale == Some(true) || row.now.as_ref().is_some_and(|now| !now.is_empty())
    };
    let (news, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_news);
    let most = SHOWN.max(news.len().min(2 * SHOWN));
    let left = (news.len() + rest.len()).saturating_sub(most);
    let mut rows: Vec<&Watched> = news.into_iter().chain(rest).take(most).collect();
    rows.sort_by_key(|row| row.fd);
    (rows, left)
}

fn table(rows: &[&Watched]) -> String {
    let mut cells: Vec<[String; 6]> =
        vec![["FD", "KIND", "EVENTS", "DATA", "NOW", "NAME"].map(str::to_owned)];
    for row in rows {
        let mut name = shown(&row.name);
        let marks = [(row.stale == Some(true), "stale"), (row.suspect, "may have it spin")];
        for (_, mark) in marks.iter().filter(|(is, _)| *is) {
            let _ = write!(name, "{}{mark}", if name.is_empty() { "" } else { "; " });
        }
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let now = row.now.as_deref().map_or_else(|| "?".to_owned(), or_dash);
        cells.push([
            row.fd.to_string(),
            row.kind.clone(),
            or_dash(&row.events),
            format!("{:#x}", row.data),
            now,
            name,
        ]);
    }
    let width = |column: usize| cells.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut lines = Vec::with_capacity(cells.len());
    for row in &cells {
        let [fd, kind, events, data, now, name] = row;
        let mut line = format!(
            "    {fd:>w0$}  {kind:w1$}  {events:w2$}  ",
            w0 = widths[0],
            w1 = widths[1],
            w2 = widths[2]
        );
        let _ = write!(line, "{data:>w3$}  {now:w4$}  {name}", w3 = widths[3], w4 = widths[4]);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// The fds of an event, as many as a line has room for.
fn named(event: &Event, say: impl Fn(&Fd) -> String) -> String {
    let total = event.fds_total.max(event.fds.len());
    let shown: Vec<String> = event.fds.iter().take(NAMED).map(say).collect();
    match total.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `7 tcp 127.0.0.1:80 → 127.0.0.1:4711 (in, 5 B to read)`.
fn waits(fd: &Fd, with_time: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !fd.readiness.is_empty() {
        parts.push(fd.readiness.replace(',', " "));
    }
    match fd.waiting {
        Some(("bytes", n)) if n > 0 => parts.push(format!("{} to read", bytes(n))),
        Some(("connections", n)) => parts.push(format!("{n} to accept")),
        _ => {}
    }
    if let Some(waited) = fd.waited.filter(|_| with_time) {
        parts.push(format!("for {}", time(waited)));
    }
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{}{parts}", what(fd))
}

fn what(fd: &Fd) -> String {
    let name = shown(&fd.name);
    let blank = if name.is_empty() { "" } else { " " };
    format!("{} {}{blank}{name}", fd.fd, fd.kind)
}

/// `thread 4242 python3: clock_nanosleep, 1.4 s left`.
fn doing(hand: &Hand) -> String {
    let likely = if hand.certain { "" } else { "likely " };
    format!("{likely}thread {} {}: {}", hand.tid, shown(&hand.name), shown(&hand.doing))
}

fn sums_up(event: &Event, summary: &Summary) -> String {
    let totals = &summary.totals;
    let shares = totals.shares;
    if let Some(note) = summary.note.as_ref().filter(|_| shares.total().is_zero()) {
        return note.clone();
    }
    let all = shares.total().as_secs_f64();
    let percent = |time: Duration| {
        let share = if all > 0.0 { time.as_secs_f64() / all * 100.0 } else { 0.0 };
        if share > 0.0 && share < 0.1 { "<0.1%".to_owned() } else { format!("{share:.1}%") }
    };
    let mut parts = vec![format!(
        "idle {}, busy {}, stalled {}",
        percent(shares.idle),
        percent(shares.busy),
        percent(shares.stalled)
    )];
    if let Some(longest) = totals.stalls.longest() {
        let stalls = quantity(totals.stalls.number() as usize, "stall", "stalls");
        parts.push(format!("{stalls}, the longest {}", time(longest)));
    }
    if totals.spins > 0 {
        parts.push(format!("{} left unserved", quantity(totals.spins as usize, "fd", "fds")));
    }
    // What was seen in one look may have waited for less than the time between two, or for almost two of
    // them.
    let is_seen = |wait: Duration| wait > summary.interval * 2;
    let bound = summary.interval * 3;
    let number = quantity(totals.waits.number() as usize, "wait", "waits");
    match (totals.waits.longest(), totals.waits.median()) {
        (Some(longest), Some(_)) if !is_seen(longest) => {
            parts.push(format!("{number} seen, none longer than {}", time(bound)));
        }
        (Some(longest), Some(median)) => {
            let median = if is_seen(median) { time(median) } else { format!("below {}", time(bound)) };
            parts.push(format!("{number} seen, the longest {}, median {median}", time(longest)));
        }
        _ => parts.push("nothing was seen to wait".to_owned()),
    }
    let worst: Vec<String> = event
        .fds
        .iter()
        .filter_map(|fd| Some((fd, fd.waited.filter(|&waited| is_seen(waited))?)))
        .take(NAMED - 1)
        .map(|(fd, waited)| format!("{} {}", what(fd), time(waited)))
        .collect();
    if !worst.is_empty() {
        parts.push(format!("worst {}", worst.join(", ")));
    }
    parts.extend(summary.note.clone());
    parts.join(BETWEEN)
}

fn shown(text: &[u8]) -> String {
    escape(text, Escape::Table).into_owned()
}
