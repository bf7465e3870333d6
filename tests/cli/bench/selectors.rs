//! What is measured.

use super::bench;
use crate::support::number;
use serde_json::Value;

const WAYS: [(&str, &str); 6] = [
    ("select", "level"),
    ("poll", "level"),
    ("epoll", "level"),
    ("epoll", "edge"),
    ("epoll", "oneshot"),
    ("mio", "edge"),
];

/// Each way with each number of fds, each event counted, and each figure there.
#[test]
fn every_case_is_a_record() {
    for kind in ["eventfd", "pipe", "socketpair"] {
        let run =
            bench(format!("--quiet --kind {kind} --fds 7,3 --active 3,1,7 --runs 2")).arg("--json").ok();
        let records = run.records();
        let cases = [(3, 1), (3, 3), (7, 1), (7, 3), (7, 7)];
        let expected: Vec<_> =
            cases.iter().flat_map(|case| WAYS.iter().map(move |way| (way, case))).collect();
        assert_eq!(records.len(), expected.len());
        for (record, ((selector, trigger), (fds, active))) in records.iter().zip(expected) {
            assert_eq!(record["selector"], *selector, "{record}");
            assert_eq!(record["trigger"], *trigger, "{record}");
            assert_eq!(record["kind"], kind, "{record}");
            assert_eq!((&record["fds"], &record["active"]), (&(*fds).into(), &(*active).into()), "{record}");
            assert_eq!(record["runs"], 2);
            let samples = record["samples"].as_array().unwrap();
            let median = samples.iter().map(|sample| sample.as_f64().unwrap()).sum::<f64>() / 2.0;
            assert!((number(record, "ns_per_event") - median).abs() <= 0.2, "{record}");
            for name in ["ns_per_event", "ns_per_wait", "ns_per_register", "ns_cpu"] {
                assert!(number(record, name) > 0.0, "{name}: {record}");
            }
            assert!(number(record, "spread") >= 0.0, "{record}");
            assert!(number(record, "wakeups") >= 0.0, "{record}");
            // In each run, three parts of three turns at least, and one to warm up.
            let events = record["events"].as_u64().unwrap();
            assert!(events >= 2 * 10 * active && events % active == 0, "{record}");
        }
    }
}

#[test]
fn selectors_can_be_chosen() {
    let chosen = |names: &str| -> Vec<String> {
        let records = bench(format!("--quiet --fds 2 --active 1 --runs 1 --selector {names}")).records();
        let name =
            |r: &Value| format!("{} {}", r["selector"].as_str().unwrap(), r["trigger"].as_str().unwrap());
        records.iter().map(name).collect()
    };
    assert_eq!(chosen("poll"), ["poll level"]);
    assert_eq!(chosen("mio,select"), ["select level", "mio edge"]);
    assert_eq!(chosen("epoll"), ["epoll level", "epoll edge", "epoll oneshot"]);
    assert_eq!(chosen("epoll-oneshot,epoll-level"), ["epoll level", "epoll oneshot"]);
    assert_eq!(chosen("epoll-edge"), ["epoll edge"]);
}

/// Without options: four numbers of fds, and one or a hundred active.
#[test]
fn what_is_measured_without_being_asked_for() {
    let run = bench("--runs 1 --selector epoll-level --kind eventfd").arg("--json").run();
    if run.stderr().contains("are not measured") {
        return eprintln!("skipped: because of the limit here: {}", run.stderr());
    }
    let records = run.check(0, "").records();
    let cases: Vec<_> =
        records.iter().map(|r| (r["fds"].as_u64().unwrap(), r["active"].as_u64().unwrap())).collect();
    assert_eq!(cases, [(10, 1), (100, 1), (100, 100), (1000, 1), (1000, 100), (10_000, 1), (10_000, 100)]);
}

/// A number that is given twice is measured once.
#[test]
fn twice_is_once() {
    let records = bench("--quiet --fds 5,5 --active 2,2 --runs 1 --selector poll,poll").records();
    assert_eq!(records.len(), 1);
}
