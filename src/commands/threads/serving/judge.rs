//! From facts to a model.

use super::facts::{Blocked, Facts, Loop};
use super::{Model, Serving};
use crate::model::quantity;
use std::collections::BTreeSet;

/// The model that the facts of one process show by themselves.
pub(in crate::commands::threads) fn judge(facts: &Facts) -> Serving {
    let mut evidence = Vec::new();
    let (model, likely) = model(facts, &mut evidence);
    if facts.unknown > 0 {
        evidence.push(format!(
            "of {} it may not be known what they wait for",
            quantity(facts.unknown, "thread", "threads")
        ));
    }
    Serving { likely, ..Serving::seen(model, evidence) }
}

/// The model, and whether others would look the same.
fn model(facts: &Facts, evidence: &mut Vec<String>) -> (Model, bool) {
    let Facts { accepting, connections, loops, completions, idle, alike, .. } = facts;
    let served: BTreeSet<u64> = connections.iter().map(|blocked| blocked.socket).collect();
    let looping: BTreeSet<_> = loops.iter().filter(|one| one.serves).map(|one| one.tid).collect();
    let acceptors: BTreeSet<_> = accepting.iter().map(|blocked| blocked.tid).collect();
    let takes = !accepting.is_empty() || loops.iter().any(|one| one.listeners > 0);
    if let [(tid, call), rest @ ..] = &completions[..]
        && looping.is_empty()
    {
        evidence.push(format!("thread {tid} waits for completions in {call}"));
        others(rest.len(), "do so", evidence);
        // Of which fds they are the kernel does not tell.
        let Some(listener) = &facts.listener else {
            evidence.push("it holds no listener".to_owned());
            return (Model::Unknown, false);
        };
        evidence.push(format!("it holds the listener {listener}"));
        return (Model::Completion, true);
    }
    accepts(accepting, evidence);
    if served.len() > 1 || (!served.is_empty() && takes) {
        waits_in_loops(facts, evidence);
        let first = &connections[0];
        match served.len() {
            1 => evidence.push(format!("thread {} waits in {}, a connection", first.tid, first.call)),
            n => evidence.push(format!("threads wait for {n} connections, each for one of its own")),
        }
        if *idle > 1 {
            pool(*idle, evidence);
            return (Model::ThreadPool, true);
        }
        return (Model::ThreadPerConnection, false);
    }
    if acceptors.len() > 1 {
        return (Model::ThreadPool, false);
    }
    if !looping.is_empty() {
        waits_in_loops(facts, evidence);
        if *idle > 1 {
            pool(*idle, evidence);
        }
        let sets: Option<BTreeSet<_>> = loops.iter().filter(|one| one.serves).map(|one| one.epoll).collect();
        return match (looping.len(), sets) {
            (1, _) if *alike > 1 && *idle < 2 => {
                evidence.push(format!(
                    "{alike} others have the name of that thread, and may take turns with it: --sample tells, \
                     while clients ask"
                ));
                (Model::EventLoop, true)
            }
            (1, _) => (Model::EventLoop, false),
            (_, Some(sets)) if sets.len() == 1 => (Model::SharedLoop, false),
            _ => (Model::EventLoops, false),
        };
    }
    if acceptors.len() == 1 && *idle > 1 {
        pool(*idle, evidence);
        return (Model::ThreadPool, true);
    }
    if let Some(one) = loops.first() {
        evidence.push(format!(
            "thread {} waits in {}, for {}, none of which is seen to come by a listener",
            one.tid,
            one.call,
            quantity(one.sockets, "socket", "sockets")
        ));
    }
    evidence.push(match (takes, facts.running) {
        (true, _) => "no connection is waited for now, so what serves one is not seen".to_owned(),
        (false, 0) => "no thread waits for a listener, or for a connection that came by one".to_owned(),
        (false, running) => format!(
            "no thread waits for a listener, or for a connection that came by one; {}, and --sample may \
             see more",
            match running {
                1 => "one is running".to_owned(),
                n => format!("{n} are running"),
            }
        ),
    });
    (Model::Unknown, false)
}

fn accepts(accepting: &[Blocked], evidence: &mut Vec<String>) {
    let Some(first) = accepting.first() else { return };
    let threads: BTreeSet<_> = accepting.iter().map(|blocked| blocked.tid).collect();
    match threads.len() {
        1 => evidence.push(format!("thread {} waits in {}, a listener", first.tid, first.call)),
        n => evidence.push(format!("{n} threads wait for a listener, as in {}", first.call)),
    }
}

fn waits_in_loops(facts: &Facts, evidence: &mut Vec<String>) {
    let loops: Vec<&Loop> = facts.loops.iter().filter(|one| one.serves).collect();
    let Some(first) = loops.first() else { return };
    let threads: BTreeSet<_> = loops.iter().map(|one| one.tid).collect();
    let sets: BTreeSet<_> = loops.iter().filter_map(|one| one.epoll).collect();
    let listeners = quantity(first.listeners, "listener", "listeners");
    let sockets = quantity(first.sockets, "other socket", "other sockets");
    match threads.len() {
        1 => evidence
            .push(format!("thread {} waits in {}, for {listeners} and {sockets}", first.tid, first.call)),
        n if sets.len() == 1 && loops.iter().all(|one| one.epoll.is_some()) => {
            evidence.push(format!("{n} threads wait for one epoll set, of {listeners} and {sockets}"));
        }
        n => evidence.push(format!("{n} threads wait for several sockets each, as in {}", first.call)),
    }
}

fn pool(idle: usize, evidence: &mut Vec<String>) {
    evidence.push(format!("{idle} threads wait on one word of memory, as those of a pool do for work"));
}

fn others(n: usize, what: &str, evidence: &mut Vec<String>) {
    if n > 0 {
        evidence.push(format!("{} {what} too", quantity(n, "other", "others")));
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocked, Facts, Loop, judge};
    use crate::commands::threads::serving::Model;
    use crate::model::{FdNum, Pid};

    fn blocked(tid: i32, socket: u64) -> Blocked {
        Blocked { tid: Pid(tid), call: format!("recvfrom on {socket}"), socket }
    }

    fn looping(tid: i32, listeners: usize, sockets: usize, serves: bool) -> Loop {
        Loop { tid: Pid(tid), call: "epoll_wait on 6".to_owned(), epoll: None, listeners, sockets, serves }
    }

    #[track_caller]
    fn check(facts: &Facts, model: Model, likely: bool, because: &str) {
        let serving = judge(facts);
        assert_eq!((serving.model, serving.likely), (model, likely), "{}", serving.because());
        assert!(serving.because().contains(because), "{}", serving.because());
    }

    #[test]
    fn loops() {
        let one = Facts { loops: vec![looping(1, 1, 2, true)], ..Facts::default() };
        check(
            &one,
            Model::EventLoop,
            false,
            "thread 1 waits in epoll_wait on 6, for 1 listener and 2 other sockets",
        );
        let helped = Facts { idle: 4, ..one.clone() };
        check(&helped, Model::EventLoop, false, "4 threads wait on one word of memory");
        let two = Facts { loops: vec![looping(1, 1, 0, true), looping(2, 0, 3, true)], ..Facts::default() };
        check(&two, Model::EventLoops, false, "2 threads wait for several sockets each");
        let shares = |tid| Loop { epoll: Some((Pid(1), FdNum(6))), ..looping(tid, 1, 2, true) };
        let shared = Facts { loops: vec![shares(1), shares(2)], ..Facts::default() };
        check(&shared, Model::SharedLoop, false, "2 threads wait for one epoll set");
        let turns = Facts { alike: 3, ..one.clone() };
        check(&turns, Model::EventLoop, true, "3 others have the name of that thread");
        // One thread that was seen in two sets is one.
        let twice = Facts { loops: vec![looping(1, 1, 0, true), looping(1, 0, 3, true)], ..Facts::default() };
        check(&twice, Model::EventLoop, false, "");
        let client = Facts { loops: vec![looping(1, 0, 2, false)], ..Facts::default() };
        check(&client, Model::Unknown, false, "none of which is seen to come by a listener");
    }

    #[test]
    fn threads() {
        let accepting = vec![blocked(1, 3)];
        let alone = Facts { accepting: accepting.clone(), ..Facts::default() };
        check(&alone, Model::Unknown, false, "so what serves one is not seen");
        let served = Facts { connections: vec![blocked(2, 4)], ..alone.clone() };
        check(&served, Model::ThreadPerConnection, false, "thread 2 waits in recvfrom on 4, a connection");
        let many = Facts { connections: vec![blocked(2, 4), blocked(3, 5)], ..Facts::default() };
        check(&many, Model::ThreadPerConnection, false, "2 connections");
        let idle = Facts { idle: 3, ..served };
        check(&idle, Model::ThreadPool, true, "3 threads wait on one word");
        // Two threads on one connection do not show how others are served.
        let pair = Facts { connections: vec![blocked(2, 4), blocked(3, 4)], ..Facts::default() };
        check(&pair, Model::Unknown, false, "");
        let pool = Facts { accepting: vec![blocked(1, 3), blocked(2, 3)], ..Facts::default() };
        check(&pool, Model::ThreadPool, false, "2 threads wait for a listener");
    }

    #[test]
    fn completions_and_nothing() {
        let waits = Facts { completions: vec![(Pid(1), "io_uring_enter".to_owned())], ..Facts::default() };
        check(&waits, Model::Unknown, false, "it holds no listener");
        let listener = Some("*:80".to_owned());
        check(&Facts { listener, ..waits }, Model::Completion, true, "it holds the listener *:80");
        let busy = Facts { running: 1, ..Facts::default() };
        check(&busy, Model::Unknown, false, "one is running, and --sample may see more");
        let hidden = Facts { unknown: 2, ..Facts::default() };
        check(&hidden, Model::Unknown, false, "of 2 threads it may not be known what they wait for");
    }
}
