//! Looking at what lies in connections, once, or again and again to see who reads nothing of it.

use super::connection::{Connection, Stuck};
use super::graph::Graph;
use crate::model::{Lying, Pile, Tie, pile_stays};
use crate::proc::{Asked, System, look as take};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often it is looked within the time, and the shortest and longest time from one look to the next.
const LOOKS: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// Fills in what lies in each connection; with a time, as it is in the end, and who has read nothing
/// of it meanwhile.
pub(super) fn look(system: &System, graph: &mut Graph, time: Option<Duration>) {
    let mut connections: Vec<&mut Connection> =
        graph.nodes.iter_mut().flat_map(|node| &mut node.connections).collect();
    let asked: Vec<Asked> = connections.iter().map(|connection| connection.asked()).collect();
    let first = take(system, &asked);
    let Some(time) = time else {
        for (connection, lying) in connections.iter_mut().zip(first) {
            connection.lying = lying;
        }
        return;
    };
    let until = Instant::now() + time;
    let mut looks: Vec<[Vec<Pile>; 2]> =
        first.iter().map(|lying| [lying.unread, lying.unsent].map(Vec::from_iter)).collect();
    // Only where something lies it is of interest what becomes of it, and TCP counts by itself.
    let watched: Vec<usize> = (0..asked.len())
        .filter(|&nth| {
            let is_tcp = matches!(asked[nth].tie, Tie::Socket(_, family) if family.is_tcp());
            let lies = |pile: Option<Pile>| pile.is_some_and(|pile| pile.bytes > 0);
            !is_tcp && (lies(first[nth].unread) || lies(first[nth].unsent))
        })
        .collect();
    let some: Vec<Asked> = watched.iter().map(|&nth| asked[nth]).collect();
    let step = (time / LOOKS).clamp(SHORTEST, LONGEST);
    while !some.is_empty() && Instant::now() + step < until {
        sleep(step);
        for (&nth, lying) in watched.iter().zip(take(system, &some)) {
            add(&mut looks[nth], lying);
        }
    }
    sleep(until.saturating_duration_since(Instant::now()));
    for (nth, lying) in take(system, &asked).into_iter().enumerate() {
        add(&mut looks[nth], lying);
        let [unread, unsent] = &looks[nth];
        connections[nth].lying = lying;
        connections[nth].stuck = Stuck::of(pile_stays(unread), pile_stays(unsent));
    }
}

/// Adds a look. What is not there any more was read, or nobody can read it.
fn add(looks: &mut [Vec<Pile>; 2], lying: Lying) {
    for (piles, pile) in looks.iter_mut().zip([lying.unread, lying.unsent]) {
        match pile {
            Some(pile) => piles.push(pile),
            None => piles.clear(),
        }
    }
}
