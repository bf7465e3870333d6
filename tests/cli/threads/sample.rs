//! Many looks: shares of time, and how they end.

use super::{named, of, settle, thread};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, PATIENCE, Skip, call};
use nix::sys::signal::Signal;
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

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
    // On a machine that has so much to do that there were few looks, what is rare was not seen; and a thread
    // that waits for a CPU may not be told for how long until it has one.
    let until = Instant::now() + PATIENCE;
    loop {
        let records = of(&helper, "--sample 600ms --interval 5ms --quiet").records();
        let doubt = check_shares(&by_name(&records)).err();
        let Some(doubt) = doubt else { return };
        assert!(Instant::now() < until, "{doubt}");
    }
}

/// Holds the shares of the threads to what is true of them however busy the machine is; what it is if
/// that has let them get to do it.
fn check_shares(threads: &BTreeMap<String, Vec<&Value>>) -> Result<(), String> {
    for (name, records) in threads {
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
    // It used more than who only waits, and what it lacked it waited for.
    let part = |record: &Value, key: &str| record[key].as_f64().unwrap();
    let used_more = part(busy[0], "cpu_used") > part(waits[0], "cpu_used");
    let all = part(busy[0], "cpu_percent") + part(busy[0], "delay_percent");
    if !used_more || !(80.0..=120.0).contains(&all) {
        return Err(format!("{busy:?}"));
    }
    // A call with times that change is one call, without a time.
    let turns = &threads["turns"];
    let of_call = |name: &str| turns.iter().filter(|r| r["call"] == name).copied().collect::<Vec<_>>();
    let (sleeps, polls) = (of_call("nanosleep"), of_call("ppoll"));
    let ([sleep], [poll, ..]) = (&sleeps[..], &polls[..]) else {
        assert!(sleeps.len() < 2, "{turns:?}");
        return Err(format!("{turns:?}"));
    };
    assert_eq!(poll["timeout"], 0.005, "{turns:?}");
    // One of its times alone was seen.
    if !sleep["timeout"].is_null() {
        return Err(format!("{turns:?}"));
    }
    assert!(sleep.get("left").is_none() && sleep["waits_for"] == "nanosleep", "{sleeps:?}");
    Ok(())
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
    // That is why there were few looks.
    assert!(!run.stderr().contains("looks instead of"), "{}", run.stderr());
    assert!(named(&run.json_lines(), "waits").is_some());
}
