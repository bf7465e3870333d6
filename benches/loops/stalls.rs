//! Servers that are held up.

use crate::fdscope::Watching;
use crate::servers::{Holdup, Server};
use crate::{Extent, Result};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long servers are held up, in ms, in turn.
const TIMES: [u64; 5] = [300, 500, 700, 1000, 1500];

/// How often others ask.
const PAUSE: Duration = Duration::from_millis(20);

/// A server that was held up.
struct Held {
    /// Since when, from the beginning of the watch.
    since: Duration,
    time: Duration,
}

pub(crate) fn measure(dir: &Path, extent: Extent) -> Result<()> {
    println!("stalls of {TIMES:?} ms in turn");
    println!(
        "{:26} {:>6} {:>6} {:>7} {:>11} {:>11}",
        "", "made", "found", "others", "told after", "length off"
    );
    for server in Server::installed() {
        let mut running = server.start(dir)?;
        let address = running.address()?;
        let workers = server.workers(&running);
        let watching = Watching::start(&workers, None)?;
        let begin = Instant::now();
        let over = AtomicBool::new(false);
        let held = std::thread::scope(|scope| -> Result<Vec<Held>> {
            for _ in 0..2 {
                scope.spawn(|| visit(server, address, &over));
            }
            let held = hold_up(server, address, &workers, extent, begin);
            over.store(true, Ordering::Relaxed);
            held
        })?;
        let events = watching.stop()?;
        report(server, &held, &events);
    }
    println!();
    Ok(())
}

/// Asks now and then.
fn visit(server: Server, address: SocketAddr, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let request = if server.is_http() { http("") } else { "PING\r\n".to_owned() };
        let _ = ask(address, &request);
        std::thread::sleep(PAUSE);
    }
}

fn http(path: &str) -> String {
    format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// One request; what is answered does not matter.
fn ask(address: SocketAddr, request: &str) -> std::io::Result<()> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    connection.write_all(request.as_bytes())?;
    connection.read(&mut [0; 512]).map(drop)
}

fn hold_up(
    server: Server,
    address: SocketAddr,
    workers: &[u32],
    extent: Extent,
    begin: Instant,
) -> Result<Vec<Held>> {
    let mut held = Vec::new();
    let rounds = if extent.trial { 1 } else { extent.runs * TIMES.len() };
    for round in 0..rounds {
        std::thread::sleep(Duration::from_millis(400));
        let time = Duration::from_millis(TIMES[round % TIMES.len()]);
        let since = begin.elapsed();
        let seconds = time.as_secs_f64();
        match server.holdup {
            Holdup::Path(what) => {
                // Of several processes, all of them.
                std::thread::scope(|scope| {
                    for _ in 0..workers.len() * workers.len() {
                        scope.spawn(|| ask(address, &http(&format!("{what}/{seconds}"))));
                    }
                });
            }
            Holdup::Redis => ask(address, &format!("DEBUG SLEEP {seconds}\r\n"))?,
            Holdup::Stop => {
                signal(workers, rustix::process::Signal::STOP)?;
                std::thread::sleep(time);
                signal(workers, rustix::process::Signal::CONT)?;
            }
            Holdup::Nothing => std::thread::sleep(time),
        }
        held.push(Held { since, time: begin.elapsed() - since });
    }
    Ok(held)
}

fn signal(pids: &[u32], signal: rustix::process::Signal) -> Result<()> {
    for pid in pids.iter().filter_map(|&pid| rustix::process::Pid::from_raw(pid as i32)) {
        rustix::process::kill_process(pid, signal)?;
    }
    Ok(())
}

fn report(server: Server, held: &[Held], events: &[Value]) {
    let number = |event: &Value, name: &str| event[name].as_f64().unwrap_or(f64::NAN);
    // When each began, and when it was told.
    let stalls: Vec<(f64, f64, &Value)> = events
        .iter()
        .filter(|event| event["event"] == "stalled")
        .map(|event| (number(event, "elapsed") - number(event, "lasted"), number(event, "elapsed"), event))
        .collect();
    let within = |held: &Held, began: f64| {
        let slack = 0.05;
        let since = held.since.as_secs_f64();
        (since - slack..since + held.time.as_secs_f64() + slack).contains(&began)
    };
    let is_right = |event: &Value| {
        event["thread"] == event["pid"] && event["fds"].as_array().is_some_and(|fds| !fds.is_empty())
    };
    let found: Vec<(&Held, f64)> = held
        .iter()
        .filter_map(|held| {
            let mut of_it = stalls.iter().filter(|(began, _, event)| within(held, *began) && is_right(event));
            of_it.next().map(|(_, told, _)| (held, told - held.since.as_secs_f64()))
        })
        .collect();
    let others: Vec<_> =
        stalls.iter().filter(|(began, ..)| !held.iter().any(|held| within(held, *began))).collect();
    let latest = found.iter().map(|(_, after)| *after).fold(0.0, f64::max);
    let ends = events.iter().filter(|event| event["event"] == "recovered");
    // Several processes are not held up all at once.
    let one = server.is_one_process();
    let off = ends
        .filter(|_| one)
        .filter_map(|event| {
            let (ended, lasted) = (number(event, "elapsed"), number(event, "lasted"));
            let held = held.iter().find(|held| within(held, ended - lasted))?;
            Some((held.time.as_secs_f64() - lasted).abs())
        })
        .fold(0.0, f64::max);
    let made = if server.holdup == Holdup::Nothing { 0 } else { held.len() };
    println!(
        "{:26} {made:6} {:6} {:7} {:8.0} ms {:8.0} ms",
        server.name,
        found.len(),
        others.len(),
        latest * 1e3,
        off * 1e3
    );
    let shown = |held: &Held| format!("{:.2} s, for {:?}", held.since.as_secs_f64(), held.time);
    for missed in held.iter().filter(|h| made > 0 && !found.iter().any(|(other, _)| std::ptr::eq(*h, *other)))
    {
        println!("    missed: at {}", shown(missed));
        let near = |began: f64| (began - missed.since.as_secs_f64()).abs() < 2.0;
        for (began, told, event) in stalls.iter().filter(|(began, ..)| near(*began)) {
            println!("        from {began:.2}, told {told:.2}: {}; {}", event["doing"], event["fds"]);
        }
    }
    for (began, _, event) in others {
        println!("    at {began:.2} s: {}; {}", event["doing"], event["fds"]);
    }
}
