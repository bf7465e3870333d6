//! Servers that are held up.

use crate::client::Service;
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

/// A process that was held up.
struct Held {
    pid: u32,
    /// Since when, from the beginning of the watch.
    since: Duration,
    time: Duration,
}

pub(crate) fn measure(dir: &Path, servers: &[Server], extent: Extent) -> Result<()> {
    println!("stalls of {TIMES:?} ms in turn");
    println!(
        "{:26} {:>6} {:>6} {:>7} {:>11} {:>11}",
        "", "made", "found", "others", "told after", "length off"
    );
    for &server in servers {
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
        let _ = match server.service() {
            Service::Http => ask(address, http("").as_bytes()),
            Service::Fixed { ask: request, .. } => ask(address, request),
        };
        std::thread::sleep(PAUSE);
    }
}

fn http(path: &str) -> String {
    format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// One request; what is answered does not matter.
fn ask(address: SocketAddr, request: &[u8]) -> std::io::Result<()> {
    begin(address, request)?.read(&mut [0; 512]).map(drop)
}

/// A request that is not answered yet.
fn begin(address: SocketAddr, request: &[u8]) -> std::io::Result<TcpStream> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    connection.write_all(request)?;
    Ok(connection)
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
            Holdup::Path(what) => ask(address, http(&format!("{what}/{seconds}")).as_bytes())?,
            Holdup::PathEach => {
                held.extend(hold_up_each(address, workers, seconds, begin)?);
                continue;
            }
            Holdup::Redis => ask(address, format!("DEBUG SLEEP {seconds}\r\n").as_bytes())?,
            Holdup::Stop => {
                signal(workers, rustix::process::Signal::STOP)?;
                std::thread::sleep(time);
                signal(workers, rustix::process::Signal::CONT)?;
            }
        }
        let time = begin.elapsed() - since;
        held.extend(workers.iter().map(|&pid| Held { pid, since, time }));
    }
    Ok(held)
}

/// Holds up one process after the other: while one sleeps, the next has to take what comes.
fn hold_up_each(address: SocketAddr, workers: &[u32], seconds: f64, start: Instant) -> Result<Vec<Held>> {
    let mut asleep = Vec::new();
    for _ in workers {
        let since = start.elapsed();
        let mut connection = begin(address, http(&format!("sleep/{seconds}")).as_bytes())?;
        let mut head = [0; 512];
        let read = connection.read(&mut head)?;
        let head = String::from_utf8_lossy(&head[..read]);
        let pid = head.lines().find_map(|line| line.strip_prefix("Worker: ")?.parse().ok());
        asleep.push((pid.ok_or("it does not say which process it is")?, since, connection));
    }
    let mut held = Vec::new();
    for (pid, since, mut connection) in asleep {
        connection.read_exact(&mut [0; 3])?;
        held.push(Held { pid, since, time: start.elapsed() - since });
    }
    Ok(held)
}

fn signal(pids: &[u32], signal: rustix::process::Signal) -> Result<()> {
    for pid in pids.iter().filter_map(|&pid| rustix::process::Pid::from_raw(pid as i32)) {
        rustix::process::kill_process(pid, signal)?;
    }
    Ok(())
}

/// A stall as it was told.
struct Told<'e> {
    pid: u64,
    /// When it began, and when it was told.
    began: f64,
    at: f64,
    event: &'e Value,
}

impl Held {
    /// Whether what was told is this.
    fn is(&self, pid: u64, began: f64) -> bool {
        let slack = 0.05;
        let since = self.since.as_secs_f64();
        let time = since - slack..since + self.time.as_secs_f64() + slack;
        pid == u64::from(self.pid) && time.contains(&began)
    }
}

fn number(event: &Value, name: &str) -> f64 {
    event[name].as_f64().unwrap_or(f64::NAN)
}

fn report(server: Server, held: &[Held], events: &[Value]) {
    let of = |name: &'static str| {
        events.iter().filter(move |event| event["event"] == name).map(|event| {
            let at = number(event, "elapsed");
            Told { pid: event["pid"].as_u64().unwrap_or(0), began: at - number(event, "lasted"), at, event }
        })
    };
    let stalls: Vec<Told<'_>> = of("stalled").collect();
    let is_right = |Told { event, .. }: &&Told<'_>| {
        let thread = event["thread"] == event["pid"] || !server.serves_by_first_thread();
        thread && event["fds"].as_array().is_some_and(|fds| !fds.is_empty())
    };
    let found: Vec<(&Held, f64)> = held
        .iter()
        .filter_map(|held| {
            let told = stalls.iter().find(|told| held.is(told.pid, told.began) && is_right(told))?;
            Some((held, told.at - held.since.as_secs_f64()))
        })
        .collect();
    let others: Vec<_> =
        stalls.iter().filter(|told| !held.iter().any(|held| held.is(told.pid, told.began))).collect();
    let latest = found.iter().map(|(_, after)| *after).fold(0.0, f64::max);
    let off = of("recovered")
        .filter_map(|told| {
            let held = held.iter().find(|held| held.is(told.pid, told.began))?;
            Some((held.time.as_secs_f64() - (told.at - told.began)).abs())
        })
        .fold(0.0, f64::max);
    println!(
        "{:26} {:6} {:6} {:7} {:8.0} ms {:8.0} ms",
        server.name,
        held.len(),
        found.len(),
        others.len(),
        latest * 1e3,
        off * 1e3
    );
    for missed in held.iter().filter(|h| !found.iter().any(|(other, _)| std::ptr::eq(*h, *other))) {
        println!("    missed: {} at {:.2} s, for {:?}", missed.pid, missed.since.as_secs_f64(), missed.time);
        let near = |told: &&Told<'_>| {
            told.pid == u64::from(missed.pid) && (told.began - missed.since.as_secs_f64()).abs() < 2.0
        };
        for Told { began, at, event, .. } in stalls.iter().filter(near) {
            println!("        from {began:.2}, told {at:.2}: {}; {}", event["doing"], event["fds"]);
        }
    }
    for Told { pid, began, event, .. } in others {
        println!("    {pid} at {began:.2} s: {}; {}", event["doing"], event["fds"]);
    }
}
