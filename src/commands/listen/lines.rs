//! Events as people read them: a line each, and on a terminal a line below that stays.

use super::event::{Drops, Event, Filling, Listening, Summary, What};
use crate::commands::sink::Looks;
use crate::commands::words;
use crate::listener::Accepted;
use crate::model::{AcceptQueue, Emphasis, Escape, Record as _, escape, quantity};
use anstyle::{AnsiColor, Style};

/// How wide the name of an event is at most.
const NAME: usize = 9;

/// The line of an event.
pub(super) fn line(event: &Event, looks: &Looks) -> String {
    let time = event.time.to_zoned(looks.zone.clone()).strftime("%H:%M:%S%.3f");
    let (name, text) = say(event);
    let address = event.address.as_deref().map(|a| escape(a, Escape::Table));
    let address = match address {
        Some(address) if looks.several || always_says(&event.what) => format!("{address}  "),
        _ => String::new(),
    };
    let style = match event.emphasis() {
        _ if !looks.color => Style::new(),
        Emphasis::None => Style::new(),
        Emphasis::Notice => AnsiColor::Yellow.on_default(),
        Emphasis::Alarm => AnsiColor::Red.on_default(),
    };
    format!("{time}  {style}{name:NAME$}  {address}{text}{style:#}")
}

fn always_says(what: &What) -> bool {
    matches!(what, What::Listening(_) | What::Summary(_) | What::Closed { .. })
}

fn say(event: &Event) -> (&'static str, String) {
    match &event.what {
        What::Listening(listening) => ("listening", listens(listening)),
        What::Queue { filling, resized } => ("queue", waits(*filling, *resized)),
        What::Accepted(accepted) => ("accepted", is_accepted(accepted, event)),
        What::Overflow(drops) => ("overflow", refuses(*drops)),
        What::Paused { error } => {
            ("paused", format!("accepting fails with {error}: waiting until it can go on"))
        }
        What::Resumed => ("resumed", "accepting goes on".to_owned()),
        What::Closed { error: None } => ("closed", "this socket listens no more".to_owned()),
        What::Closed { error: Some(error) } => ("closed", format!("accepting fails for good: {error}")),
        What::Started { pid, command } => {
            ("started", format!("{} as process {pid}", escape(command, Escape::Table)))
        }
        What::Exited { pid, status: Some(status), .. } => {
            ("exited", format!("process {pid} with status {status}"))
        }
        What::Exited { pid, signal, .. } => {
            ("exited", format!("process {pid} by {}", signal.unwrap_or("a signal")))
        }
        What::Summary(summary) => ("summary", sums_up(summary)),
    }
}

fn listens(listening: &Listening) -> String {
    let mut parts = Vec::new();
    if let (Some(pid), command) = (listening.pid, listening.command.as_deref().unwrap_or_default()) {
        let fd = listening.fd.map(|fd| format!(", fd {fd}")).unwrap_or_default();
        parts.push(format!("held by {} ({pid}{fd})", escape(command, Escape::Table)));
    } else if let Some(fd) = listening.fd {
        parts.push(format!("fd {fd}"));
    }
    if let Some(name) = &listening.name {
        parts.push(format!("called {}", escape(name, Escape::Table)));
    }
    let max = listening.queue.and_then(|queue| queue.max);
    let kept = max.map(|max| match listening.requested {
        Some(-1) => format!("backlog {max} (the most)"),
        Some(asked) if i64::from(asked) != i64::from(max) => {
            format!("backlog {max} (clamped, asked for {asked})")
        }
        _ => format!("backlog {max}"),
    });
    match (kept, listening.queue.and_then(AcceptQueue::admits)) {
        (Some(kept), Some(admits)) => parts.push(format!("{kept} admits {}", connections(admits))),
        _ => parts.extend(listening.requested.map(|asked| format!("backlog {asked} asked for"))),
    }
    parts.join(", ")
}

fn connections(n: u64) -> String {
    quantity(n as usize, "connection", "connections")
}

fn waits(Filling { queue, peak }: Filling, resized: bool) -> String {
    let waiting = match queue.admits() {
        Some(admits) => format!("{} of {admits} waiting", queue.waiting),
        None => format!("{} waiting", queue.waiting),
    };
    let peak = if peak > queue.waiting { format!(", peak {peak}") } else { String::new() };
    let full = if queue.is_full() { ": full" } else { "" };
    let resized = match queue.max {
        Some(max) if resized => format!("; somebody called listen(2) again: backlog {max}"),
        _ => String::new(),
    };
    format!("{waiting}{peak}{full}{resized}")
}

fn is_accepted(accepted: &Accepted, event: &Event) -> String {
    let peer = match (event.peer(), accepted.peer_pid) {
        (_, Some(pid)) => format!(" from process {pid}"),
        (Some(peer), None) => format!(" from {}", escape(peer, Escape::Table)),
        (None, None) => String::new(),
    };
    let waited = match accepted.waited {
        Some(waited) => format!(", waited {}", words::time(waited)),
        None => String::new(),
    };
    format!("{}{peer}, fd {}{waited}", accepted.number, accepted.fd)
}

fn refuses(drops: Drops) -> String {
    let own = drops.listener.map(|n| format!("{n} dropped by this listener"));
    let all = drops.overflows.zip(drops.drops).map(|(overflows, drops)| {
        format!("whole network namespace: ListenOverflows {overflows}, ListenDrops {drops}")
    });
    own.into_iter().chain(all).collect::<Vec<_>>().join("; ")
}

fn sums_up(summary: &Summary) -> String {
    let mut parts = Vec::new();
    parts.extend(summary.accepted.map(|n| format!("{n} accepted")));
    parts.extend(summary.filling.map(|Filling { queue, peak }| match queue.admits() {
        Some(admits) => format!("peak {peak} of {admits}"),
        None => format!("peak {peak}"),
    }));
    let full = summary.full.filter(|full| !full.is_zero());
    parts.extend(full.map(|full| format!("full for {}", words::time(full))));
    parts.extend(summary.longest_wait.map(|w| format!("longest wait {}", words::time(w))));
    let drops = refuses(summary.drops);
    let nothing = [summary.drops.listener, summary.drops.overflows, summary.drops.drops];
    if nothing.iter().any(|n| n.is_some_and(|n| n > 0)) {
        parts.push(drops);
    }
    parts.join(", ")
}

/// The part of the line that stays which is about one listener.
pub(super) fn gauge(address: &[u8], filling: Option<Filling>, drops: Option<u64>) -> String {
    const BAR: u64 = 20;
    let address = escape(address, Escape::Table);
    let Some(Filling { queue, peak }) = filling else { return address.into_owned() };
    let waiting = u64::from(queue.waiting);
    let bar = match queue.admits() {
        Some(admits) => {
            // What is not empty shows, and only what is full is.
            let filled = (waiting * BAR).div_ceil(admits).min(if waiting < admits { BAR - 1 } else { BAR });
            let (filled, rest) = (filled as usize, (BAR - filled) as usize);
            format!("[{}{}] {waiting}/{admits}", "#".repeat(filled), ".".repeat(rest))
        }
        None => format!("{waiting} waiting"),
    };
    let drops = drops.filter(|&n| n > 0).map(|n| format!("  dropped {n}")).unwrap_or_default();
    format!("{address} {bar}  peak {peak}{drops}")
}

#[cfg(test)]
mod tests {
    use super::{AcceptQueue, Filling, gauge, waits};

    fn filling(waiting: u32, max: Option<u32>, peak: u32) -> Filling {
        Filling { queue: AcceptQueue { waiting, max, drops: None }, peak }
    }

    #[test]
    fn queues() {
        assert_eq!(waits(filling(2, Some(5), 4), false), "2 of 6 waiting, peak 4");
        assert_eq!(waits(filling(6, Some(5), 6), false), "6 of 6 waiting: full");
        assert_eq!(waits(filling(1, None, 1), false), "1 waiting");
        assert!(waits(filling(0, Some(9), 0), true).ends_with("listen(2) again: backlog 9"));
    }

    #[test]
    fn the_bar_is_full_only_if_the_queue_is() {
        let bar = |waiting, max, drops| gauge(b"a", Some(filling(waiting, Some(max), waiting)), drops);
        assert!(bar(0, 9, None).contains("[....................] 0/10"));
        assert!(bar(1, 999, None).contains("[#..................."));
        assert!(bar(999, 999, None).contains("###.] 999/1000"));
        assert!(bar(1000, 999, Some(3)).contains("####] 1000/1000  peak 1000  dropped 3"));
        assert_eq!(gauge(b"a", None, None), "a");
    }
}
