//! What is written of scripted events.

use super::Trace;
use crate::commands::sink::Show as _;
use crate::commands::watch::event::{Event, Facts, What};
use crate::commands::watch::tracks::testing::{event, process, seen, who};
use crate::model::Readiness;
use serde_json::Value;
use std::time::Duration;

const IN: Readiness = Readiness::IN;
const CLEAR: What = What::Clear { ready_for: Duration::ZERO };

/// The events that are written of these, without those that name things unless asked for.
fn trace(selectors: &[&'static str], moments: bool, events: &[Event]) -> (Vec<Value>, Vec<Value>) {
    let mut bytes = Vec::new();
    let mut trace = Trace::new(&mut bytes, selectors.to_vec(), moments);
    events.iter().for_each(|event| trace.write(event).unwrap());
    trace.finish().unwrap();
    drop(trace);
    let all: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    all.into_iter().partition(|event| event["ph"] == "M")
}

/// `name ts dur` of the spans of a track, in the order of their beginnings. They may touch, but
/// not overlap.
fn spans(events: &[Value], tid: u64) -> Vec<String> {
    let mut spans: Vec<&Value> = events.iter().filter(|e| e["ph"] == "X" && e["tid"] == tid).collect();
    spans.sort_by_key(|e| e["ts"].as_u64());
    let ends = |e: &Value| e["ts"].as_u64().unwrap() + e["dur"].as_u64().unwrap();
    assert!(spans.windows(2).all(|w| ends(w[0]) <= w[1]["ts"].as_u64().unwrap()), "{spans:?}");
    spans.iter().map(|e| format!("{} {} {}", e["name"].as_str().unwrap(), e["ts"], e["dur"])).collect()
}

/// `name ts` of the instants of a scope.
fn instants(events: &[Value], scope: &str) -> Vec<String> {
    let of = events.iter().filter(|e| e["ph"] == "i" && e["s"] == scope);
    of.map(|e| format!("{} {}", e["name"].as_str().unwrap(), e["ts"])).collect()
}

#[test]
fn nothing_is_an_empty_array() {
    assert_eq!(trace(&["epoll"], false, &[]), (vec![], vec![]));
}

#[test]
fn spans_last_from_ready_to_clear() {
    let pipe = who(7, 3, "pipe");
    let bytes = |n| Facts { readable_bytes: Some(n), ..Facts::default() };
    let at = |ms, what, readiness| event(ms, what).of(&pipe).seen(seen("epoll", readiness));
    let (names, events) = trace(
        &["epoll"],
        false,
        &[
            event(0, What::Armed { targets: vec![pipe.clone()] }),
            at(5, What::Ready, IN).facts(bytes(10)),
            at(7, What::More, IN).facts(bytes(30)),
            at(8, CLEAR, Readiness::EMPTY),
            at(9, What::Ready, IN),
            // One condition for another.
            at(12, What::Hup, IN | Readiness::HUP),
            at(15, CLEAR, Readiness::HUP),
            event(20, What::Closed { reused: true }).of(&pipe),
        ],
    );
    assert_eq!(spans(&events, 1), ["in 5000 3000", "in 9000 3000", "in,hup 12000 3000", "hup 15000 5000"]);
    assert_eq!(instants(&events, "t"), ["more 7000", "hup 12000", "closed 20000"]);
    assert_eq!(instants(&events, "g"), ["armed 0"]);
    let first = events.iter().find(|e| e["ph"] == "X").unwrap();
    assert_eq!((&first["args"]["readable_bytes"], &first["pid"]), (&30.into(), &7.into()));
    let named: Vec<_> = names.iter().map(|n| (&n["name"], &n["args"]["name"])).collect();
    assert_eq!(named[0], (&"process_name".into(), &"server".into()));
    assert_eq!(named[1], (&"thread_name".into(), &"3 pipe name\\x1b".into()));
}

#[test]
fn what_is_open_at_the_end_is_ended() {
    let socket = who(7, 3, "tcp");
    let ready = event(1, What::Ready).of(&socket).seen(seen("epoll", Readiness::OUT));
    let mut bytes = Vec::new();
    let mut trace = Trace::new(&mut bytes, vec!["epoll"], false);
    trace.write(&ready).unwrap();
    // Without a word, as after an error.
    drop(trace);
    let events: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let span = events.iter().find(|e| e["ph"] == "X").unwrap();
    assert_eq!((&span["name"], &span["ts"]), (&"out".into(), &1000.into()));
}

#[test]
fn selectors_have_a_track_each() {
    let pipe = who(7, 3, "pipe");
    let ready = |ms, selector| event(ms, What::Ready).of(&pipe).seen(seen(selector, IN));
    let (names, events) = trace(
        &["select", "epoll"],
        false,
        &[ready(1, "select"), ready(2, "epoll"), event(4, What::Exited).of(&process(7))],
    );
    assert_eq!(
        (spans(&events, 1), spans(&events, 2)),
        (vec!["in 1000 3000".into()], vec!["in 2000 2000".into()])
    );
    assert_eq!(instants(&events, "p"), ["exited 4000"]);
    let named: Vec<_> = names.iter().filter(|n| n["name"] == "thread_name").collect();
    assert_eq!(named[0]["args"]["name"], "3 pipe name\\x1b (select)");
    assert_eq!(named[1]["args"]["name"], "3 pipe name\\x1b (epoll)");
}

#[test]
fn edges_are_moments() {
    let pipe = who(7, 3, "pipe");
    let mut edge = seen("epoll", IN);
    edge.trigger = "edge";
    let events = [event(1, What::Ready).of(&pipe).seen(edge), event(2, What::Ready).of(&pipe).seen(edge)];
    let (_, told) = trace(&["epoll"], false, &events);
    assert_eq!((spans(&told, 1).len(), instants(&told, "t")), (0, vec!["in 1000".into(), "in 2000".into()]));
    let repeated = [event(1, What::Ready).of(&pipe).seen(seen("epoll", IN))];
    assert_eq!(instants(&trace(&["epoll"], true, &repeated).1, "t"), ["in 1000"]);
}

#[test]
fn a_number_that_is_used_again_is_another_track() {
    let (one, other) = (who(7, 3, "pipe"), who(7, 3, "tcp"));
    let (names, events) = trace(
        &["epoll"],
        false,
        &[
            event(1, What::Ready).of(&one).seen(seen("epoll", IN)),
            event(2, What::Closed { reused: true }).of(&one),
            event(3, What::Opened).of(&other),
            event(4, What::End).of(&other),
        ],
    );
    assert_eq!(names.iter().filter(|n| n["name"] == "process_name").count(), 1);
    assert_eq!(instants(&events, "t"), ["closed 2000", "opened 3000", "end 4000"]);
    assert_eq!((spans(&events, 1).len(), spans(&events, 2).len()), (1, 0));
}
