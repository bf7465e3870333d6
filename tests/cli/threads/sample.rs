//! Many looks: shares of time, and how they end.

use super::{named, of, settle, thread};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, call};
use nix::sys::signal::Signal;
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::collections::BTreeMap;

listed! { "threads::sample": mixed }

/// One that runs, one that waits, and one that does both by turns.
fn mixed(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    thread(keeper, "busy", || {
        loop {
            std::hint::spin_loop();
        }
    });
    thread(keeper, "waits", move || {
        let _ = rustix::io::read(&reader, &mut [0; 8]);
    });
    thread(keeper, "turns", || {
        loop {
            for milliseconds in [3, 4] {
                let time = [0, milliseconds * 1_000_000_i64];
                let _ = call(libc::SYS_nanosleep, [time.as_ptr() as usize, 0, 0, 0, 0, 0]);
            }
            let _ = call(libc::SYS_ppoll, [0, 0, [0_i64, 5_000_000].as_ptr() as usize, 0, 8, 0]);
        }
    });
    keeper.keep(writer);
    Ok(())
}

/// The records of each thread, by name.
fn by_name(records: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut threads: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for record in records {
        threads.entry(record["name"].as_str().unwrap().to_owned()).or_default().push(record);
    }
    threads
}

#[test]
fn shares_of_a_thread_are_the_whole() {
    let helper = Helper::start("threads::sample::mixed");
    settle(
        || of(&helper, "").records(),
        &[("waits", json!({"call": "read"})), ("busy", json!({"state": "running"}))],
    );
    let run = of(&helper, "--sample 600ms --interval 5ms --json --quiet").ok();
    let records = run.records();
    let threads = by_name(&records);
    for (name, records) in &threads {
        let number = |key: &str| records.iter().map(|r| r[key].as_f64().unwrap()).sum::<f64>();
        assert!((number("share") - 100.0).abs() < 1e-6, "{name}: {records:?}");
        assert!(number("looks") >= 2.0, "{name}: {records:?}");
        // The most first.
        assert!(records.is_sorted_by(|a, b| a["looks"].as_u64() >= b["looks"].as_u64()), "{records:?}");
    }
    let waits = &threads["waits"];
    assert_eq!((waits.len(), &waits[0]["call"], &waits[0]["share"]), (1, &json!("read"), &json!(100.0)));
    assert_eq!(waits[0]["fds"][0]["kind"], "pipe");
    let busy = &threads["busy"];
    assert_eq!((&busy[0]["state"], &busy[0]["share"]), (&json!("running"), &json!(100.0)));
    assert!(busy[0]["waits_for"].as_str().unwrap().starts_with("running"), "{busy:?}");
    // On however busy a machine, it used more than who only waits, and what it lacked it waited for.
    let part = |record: &Value, key: &str| record[key].as_f64().unwrap();
    assert!(part(busy[0], "cpu_used") > part(waits[0], "cpu_used"), "{busy:?}");
    let all = part(busy[0], "cpu_percent") + part(busy[0], "delay_percent");
    assert!((80.0..=120.0).contains(&all), "{busy:?}");
    // A call with times that change is one call, without a time.
    let turns = &threads["turns"];
    let of_call = |name: &str| turns.iter().filter(|r| r["call"] == name).copied().collect::<Vec<_>>();
    let sleeps = of_call("nanosleep");
    assert_eq!((sleeps.len(), &sleeps[0]["timeout"]), (1, &Value::Null), "{turns:?}");
    assert!(sleeps[0].get("left").is_none() && sleeps[0]["waits_for"] == "nanosleep", "{sleeps:?}");
    assert_eq!(of_call("ppoll")[0]["timeout"], 0.005, "{turns:?}");
}

#[test]
fn a_table_of_shares() {
    let helper = Helper::start("threads::sample::mixed");
    settle(|| of(&helper, "").records(), &[("waits", json!({"call": "read"}))]);
    let run = of(&helper, "--sample 100ms --quiet").ok();
    let lines = run.lines();
    assert!(
        lines[0].split_whitespace().eq(["TID", "NAME", "CPU_PERCENT", "SHARE", "STATE", "WAITS_FOR"]),
        "{lines:?}"
    );
    let waits = lines.iter().find(|l| l.contains(" waits ")).unwrap();
    assert!(waits.contains(" 100.0  sleeping  read on "), "{waits}");
    let tsv = of(&helper, "--sample 50ms --format tsv --quiet --columns tid,share,looks").ok().lines();
    assert_eq!(tsv[0], "tid\tshare\tlooks");
}

#[test]
fn an_interrupt_ends_it_with_what_was_seen() {
    let helper = Helper::start("threads::sample::mixed");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let run = of(&helper, "--sample 1h --jsonl").start();
        // It looks at once, and it has caught its signals before.
        super::eventually_catches(run.pid(), signal);
        let run = run.end_by(signal);
        run.check_signal(signal, "");
        assert!(named(&run.json_lines(), "waits").is_some());
    }
}

#[test]
fn a_target_that_ends_meanwhile_is_shown_as_far_as_it_was_seen() {
    let mut helper = Helper::start("threads::sample::mixed");
    settle(|| of(&helper, "").records(), &[("waits", json!({"call": "read"}))]);
    let run = of(&helper, "--sample 1h --jsonl").start();
    super::eventually_waits(run.pid());
    helper.kill();
    drop(helper);
    let run = run.end();
    run.check(3, "ended while it was looked at");
    assert!(named(&run.json_lines(), "waits").is_some());
}
