//! An fd number that comes to mean something else while it is read.

use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, call};
use rustix::event::epoll::{self, CreateFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::AsFd as _;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
use serde_json::{Value, json};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};

listed! { "torn": flips }

/// A number that is another kind of fd all the time.
fn flips(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let counter = eventfd(3, EventfdFlags::CLOEXEC).unwrap();
    let poller = epoll::create(CreateFlags::CLOEXEC).unwrap();
    epoll::add(&poller, &counter, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).unwrap();
    let udp = OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap());
    keeper.told["pipe"] = rustix::fs::fstat(&reader).unwrap().st_ino.into();
    let spot = rustix::io::fcntl_dupfd_cloexec(counter.as_fd(), 100).unwrap().into_raw_fd();
    keeper.told["spot"] = spot.into();
    let all = [counter, reader, timer, udp, poller, writer];
    std::thread::spawn(move || {
        for fd in all.iter().cycle() {
            call(libc::SYS_dup2, [fd.as_raw_fd() as usize, spot as usize, 0, 0, 0, 0]).unwrap();
        }
    });
    Ok(())
}

/// What is wrong with a record, if it is of more than one fd.
fn fault(record: &Value, pipe: u64) -> Option<&'static str> {
    let object = |name: &str| record.get(name).is_some();
    let alone =
        |name| ["eventfd", "pipe", "timerfd", "udp", "epoll"].into_iter().all(|n| n == name || !object(n));
    match record["kind"].as_str()? {
        "eventfd" => (record["eventfd"]["count"] != 3 || !alone("eventfd")).then_some("eventfd"),
        "timerfd" => {
            let is_whole = record["timerfd"]["clock"] == "monotonic" && record["access"] == "rw";
            (!is_whole || !alone("timerfd")).then_some("timerfd")
        }
        "pipe" => {
            let is_whole = record["inode"] == pipe
                && record["access"] != "rw"
                && record["pipe"].get("queued").is_none_or(|queued| *queued == 0);
            (!is_whole || !alone("pipe")).then_some("pipe")
        }
        "epoll" => {
            let is_whole = record["epoll"]["watched"].as_array().is_some_and(|all| all.len() == 1);
            (!is_whole || !alone("epoll")).then_some("epoll")
        }
        "udp" => (record["udp"]["state"] != "unconnected" || !alone("udp")).then_some("udp"),
        _ => Some("a kind that it never was"),
    }
}

#[test]
fn no_record_is_of_two_fds() {
    let helper = Helper::start("torn::flips");
    let (pipe, spot) = (helper.told["pipe"].as_u64().unwrap(), &helper.told["spot"]);
    let mut seen = 0;
    let mut devices = std::collections::HashMap::new();
    for _ in 0..60 {
        // One that changes at each try is counted as gone.
        let run = helper.list(&format!("--jsonl --quiet --fd {spot}")).run();
        for record in run.json_lines().iter().filter(|record| record.get("kind").is_some()) {
            assert_eq!(fault(record, pipe), None, "{record}");
            // It is that of the filesystem where all of a kind are, or not known.
            if let Some(device) = record.get("device") {
                let first = devices.entry(record["kind"].to_string()).or_insert_with(|| device.clone());
                assert_eq!(device, first, "{record}");
            }
            seen += 1;
        }
    }
    eprintln!("{seen} records of 60 were whole");
    assert_eq!(fault(&json!({"kind": "eventfd", "eventfd": {"count": 0}}), pipe), Some("eventfd"));
}
