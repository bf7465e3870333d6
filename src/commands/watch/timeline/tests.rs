//! What is drawn of scripted events.

use super::Timeline;
use super::label::columns;
use super::row::{Glyphs, REMEMBERED};
use crate::commands::watch::event::{Event, What, Who};
use crate::commands::watch::tracks::testing::{event, process, seen, who};
use crate::model::Readiness;
use std::rc::Rc;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(100);
const CLEAR: What = What::Clear { ready_for: Duration::ZERO };

/// Events of level-triggered epoll, at these times in milliseconds.
fn timeline(targets: &[Rc<Who>], events: Vec<Event>) -> Timeline {
    let mut timeline = Timeline::new(vec!["epoll"], STEP, false);
    timeline.take(&event(0, What::Armed { targets: targets.to_vec() }));
    events.iter().for_each(|event| timeline.take(event));
    timeline
}

fn at(ms: u64, who: &Rc<Who>, what: What, readiness: Readiness) -> Event {
    event(ms, what).of(who).seen(seen("epoll", readiness))
}

fn draw(timeline: &Timeline, ms: u64, width: usize, height: usize) -> Vec<String> {
    timeline.draw(Duration::from_millis(ms), width, height, Glyphs::ASCII)
}

#[test]
fn rows_an_axis_and_a_legend() {
    let (pipe, socket) = (who(42, 7, "pipe"), who(42, 12, "tcp"));
    let timeline = timeline(
        &[pipe.clone(), socket.clone()],
        vec![
            at(0, &socket, What::Ready, Readiness::OUT),
            at(520, &pipe, What::Ready, Readiness::IN),
            at(710, &socket, What::Ready, Readiness::IN | Readiness::OUT),
            at(810, &pipe, CLEAR, Readiness::EMPTY),
            at(910, &socket, CLEAR, Readiness::OUT),
            at(1110, &socket, What::Hup, Readiness::HUP),
            event(1350, What::Closed { reused: false }).of(&pipe),
        ],
    );
    let expected = [
        "42:7 pipe       .....^^^^....X  ",
        "42:12 tcp       _______###_Hhhhh",
        "        -2s|      -1s|      now|",
        "^ readable  _ writable  # both ~",
    ];
    assert_eq!(draw(&timeline, 1550, 32, 24), expected);
    let blocks = timeline.draw(Duration::from_millis(1550), 32, 2, Glyphs::UNICODE);
    assert_eq!(blocks, ["42:7 pipe       ·····▀▀▀▀····X  ", "and 1 more"]);
}

#[test]
fn what_is_too_short_for_a_column_is_seen_and_the_window_scrolls() {
    let pipe = who(42, 7, "pipe");
    let blips = vec![
        at(110, &pipe, What::Ready, Readiness::IN),
        at(120, &pipe, CLEAR, Readiness::EMPTY),
        at(350, &pipe, What::Ready, Readiness::IN),
    ];
    let timeline = timeline(std::slice::from_ref(&pipe), blips);
    assert_eq!(draw(&timeline, 450, 10, 1), ["     .^.^^"]);
    assert_eq!(draw(&timeline, 1050, 10, 1), ["^.^^^^^^^^"]);
    assert_eq!(draw(&timeline, 99_000, 10, 1), ["^^^^^^^^^^"]);
}

#[test]
fn edges_and_repeated_looks_are_moments() {
    let pipe = who(42, 7, "pipe");
    let mut timeline = Timeline::new(vec!["epoll"], STEP, true);
    timeline.take(&at(110, &pipe, What::Ready, Readiness::IN));
    timeline.take(&at(310, &pipe, What::Ready, Readiness::IN));
    assert_eq!(draw(&timeline, 450, 5, 1), [" ^.^."]);
    let mut edges = Timeline::new(vec!["epoll"], STEP, false);
    let mut edge = seen("epoll", Readiness::IN);
    edge.trigger = "edge";
    edges.take(&event(110, What::Ready).of(&pipe).seen(edge));
    assert_eq!(draw(&edges, 450, 5, 1), [" ^..."]);
}

#[test]
fn what_has_letters() {
    let (a, b, c) = (who(42, 1, "pipe"), who(42, 2, "tcp"), who(43, 3, "tty"));
    let timeline = timeline(
        &[a.clone(), b.clone()],
        vec![
            at(100, &a, What::Error, Readiness::ERR),
            at(100, &b, What::Error, Readiness::OUT | Readiness::ERR),
            event(200, What::Opened).of(&c),
            event(300, What::End).of(&c),
            event(400, What::Exited).of(&process(42)),
        ],
    );
    assert_eq!(draw(&timeline, 500, 6, 5)[..3], [".EeeX ", ".E__X ", "  OF  "]);
}

#[test]
fn selectors_have_a_row_each() {
    let pipe = who(42, 7, "pipe");
    let mut timeline = Timeline::new(vec!["select", "epoll"], STEP, false);
    timeline.take(&event(0, What::Armed { targets: vec![pipe.clone()] }));
    timeline.take(&at(110, &pipe, What::Ready, Readiness::IN));
    let lines = draw(&timeline, 200, 60, 9);
    assert_eq!(lines[0].trim_end(), format!("{:57}...", "42:7 pipe select"));
    assert_eq!(lines[1].trim_end(), format!("{:57}.^^", "42:7 pipe epoll"));
}

#[test]
fn what_does_not_fit_is_counted_and_the_quiet_go_first() {
    let fds: Vec<_> = (0..30).map(|fd| who(42, fd, "pipe")).collect();
    let timeline = timeline(&fds, vec![at(0, &fds[20], What::Ready, Readiness::IN)]);
    let lines = draw(&timeline, 100, 40, 6);
    let labels: Vec<_> = lines.iter().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(labels[..3], ["42:0", "42:1", "42:20"]);
    assert_eq!(lines[3], "and 27 more");
    assert_eq!(draw(&timeline, 100, 40, 3).len(), 3);
    assert_eq!(draw(&timeline, 100, 40, 2)[1], "and 29 more");
    assert_eq!(draw(&timeline, 100, 40, 1), [format!("{:38}^^", "42:20 pipe")]);
}

#[test]
fn rows_that_are_over_are_forgotten() {
    let fds = [who(42, 1, "pipe"), who(42, 2, "pipe")];
    let mut timeline = timeline(&fds, vec![event(100, What::Closed { reused: false }).of(&fds[0])]);
    let late = Duration::from_millis(100 * (REMEMBERED + 2));
    timeline.tidy(late - STEP);
    assert_eq!(timeline.draw(late, 40, 9, Glyphs::ASCII).len(), 4);
    timeline.tidy(late);
    assert_eq!(timeline.draw(late, 40, 9, Glyphs::ASCII).len(), 3);
}

#[test]
fn no_size_is_too_small() {
    let fds: Vec<_> = (0..5).map(|fd| who(42, fd, "界界界")).collect();
    let timeline = timeline(&fds, vec![at(0, &fds[2], What::Ready, Readiness::IN)]);
    for width in 0..90 {
        for height in 0..9 {
            for glyphs in [Glyphs::ASCII, Glyphs::UNICODE] {
                let lines = timeline.draw(Duration::from_secs(100), width, height, glyphs);
                assert!(lines.len() <= height, "{width}x{height}: {lines:?}");
                assert!(lines.iter().all(|l| columns(l) <= width), "{width}x{height}: {lines:?}");
            }
        }
    }
}
