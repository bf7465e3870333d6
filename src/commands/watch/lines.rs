//! Events as people read them: a line each.

use super::event::{Event, Facts, Summary, What, Who};
use crate::commands::sink::Looks;
use crate::commands::words::{join, time};
use crate::model::{Emphasis, Escape, Readiness, Record as _, bytes, escape, quantity};
use anstyle::{AnsiColor, Style};

/// How wide the name of an event is at most.
const NAME: usize = 7;
/// How wide the target of an event is at least.
const TARGET: usize = 10;

/// The line of an event.
pub(super) fn line(event: &Event, looks: &Looks) -> String {
    let time = event.time.to_zoned(looks.zone.clone()).strftime("%H:%M:%S%.3f");
    let name = event.name();
    let target = event.who.as_deref().map(short).unwrap_or_default();
    let style = match event.emphasis() {
        _ if !looks.color => Style::new(),
        Emphasis::None => Style::new(),
        Emphasis::Notice => AnsiColor::Yellow.on_default(),
        Emphasis::Alarm => AnsiColor::Red.on_default(),
    };
    let line = format!("{name:NAME$}  {target:TARGET$}  {}", say(event));
    format!("{time}  {style}{}{style:#}", line.trim_end())
}

/// A target in a few letters: what it was typed as, and which fd of it this is.
pub(super) fn short(who: &Who) -> String {
    match (who.pid, who.fd) {
        (Some(pid), Some(fd)) => format!("{pid}:{fd}"),
        (Some(pid), None) => pid.to_string(),
        _ => escape(&who.target, Escape::Table).into_owned(),
    }
}

fn say(event: &Event) -> String {
    let who = event.who.as_deref();
    let what = || who.map(describe).unwrap_or_default();
    match &event.what {
        What::Armed { targets } => format!("watching {}", quantity(targets.len(), "fd", "fds")),
        What::Opened => what(),
        What::Ready | What::Hup | What::Error => join([views(event), facts(&event.facts), what()], "  "),
        What::More => facts(&event.facts),
        What::Clear { ready_for } => {
            let left =
                event.seen.filter(|s| !s.readiness.is_empty()).map(|_| format!("still {}", views(event)));
            join([format!("after {}", time(*ready_for)), left.unwrap_or_default(), what()], "  ")
        }
        What::Closed { reused: true } => "its number is another fd's now".to_owned(),
        What::Closed { reused: false } => "closed".to_owned(),
        What::End => match &event.facts.read_error {
            Some(error) => format!("cannot be read: {error}"),
            None => "nothing more to read".to_owned(),
        },
        What::Exited => "the process has ended".to_owned(),
        What::Timeout => "the time is up".to_owned(),
        What::Summary(summary) => {
            let selector = event.seen.map(|s| s.selector).unwrap_or_default();
            format!("{selector}: {}", sums_up(summary))
        }
    }
}

/// What it is, in a few words.
fn describe(who: &Who) -> String {
    let name = escape(&who.name, Escape::Table);
    if name.is_empty() { who.kind.clone() } else { format!("{} {name}", who.kind) }
}

/// The conditions in force, as one selector sees them, or each of several.
fn views(event: &Event) -> String {
    let show = |readiness: Readiness| {
        let names = readiness.names().collect::<Vec<_>>().join(" ");
        if names.is_empty() { "-".to_owned() } else { names }
    };
    if event.views.is_empty() {
        return event.seen.map(|seen| show(seen.readiness)).unwrap_or_default();
    }
    let each = |(name, readiness): &(&str, Readiness)| format!("{name}: {}", show(*readiness));
    let views = event.views.iter().map(each).collect::<Vec<_>>().join(" | ");
    let differ = event.views.windows(2).any(|pair| pair[0].1 != pair[1].1);
    if differ { format!("{views} (they differ)") } else { views }
}

fn facts(facts: &Facts) -> String {
    let parts = [
        facts.readable_bytes.filter(|&n| n > 0).map(|n| format!("{} to read", bytes(n))),
        facts.unsent_bytes.filter(|&n| n > 0).map(|n| format!("{} unsent", bytes(n))),
        facts.queue.map(|n| format!("{n} waiting")),
        facts.count.map(|n| format!("count {n}")),
        facts.socket_error.clone(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn sums_up(summary: &Summary) -> String {
    let durations = &summary.durations;
    let mut parts = vec![quantity(summary.transitions as usize, "change", "changes")];
    if let (Some(longest), Some(median)) = (durations.longest(), durations.median()) {
        parts.push(format!(
            "ready {} for {} in all, longest {}, median {}",
            quantity(durations.number() as usize, "time", "times"),
            time(durations.total()),
            time(longest),
            time(median)
        ));
    }
    if summary.bytes > 0 {
        parts.push(format!("{} seen", bytes(summary.bytes)));
    }
    parts.join(", ")
}
