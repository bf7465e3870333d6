//! The formats, and how far it is.

use super::bench;
use crate::support::{Fdscope, run_on_terminal, terminal};
use std::io::Read as _;

#[test]
fn a_table() {
    let run = bench("--quiet --fds 10 --active 1 --runs 3 --selector epoll,select").ok();
    let lines = run.lines();
    let heading: Vec<&str> = lines[0].split_whitespace().collect();
    let columns = [
        "SELECTOR",
        "TRIGGER",
        "FDS",
        "ACTIVE",
        "NS_PER_EVENT",
        "SPREAD",
        "NS_PER_WAIT",
        "NS_PER_REGISTER",
        "NS_CPU",
        "WAKEUPS",
    ];
    assert_eq!(heading, columns);
    let rows: Vec<Vec<&str>> = lines[1..].iter().map(|line| line.split_whitespace().collect()).collect();
    let ways: Vec<_> = rows.iter().map(|row| (row[0], row[1])).collect();
    assert_eq!(ways, [("select", "level"), ("epoll", "level"), ("epoll", "edge"), ("epoll", "oneshot")]);
    for row in rows {
        assert_eq!((row[2], row[3]), ("10", "1"));
        assert!(row[4].parse::<u64>().is_ok() && row[5].ends_with('%'), "{row:?}");
    }
    let bare = bench("--quiet --fds 10 --active 1 --runs 1 --selector poll --no-header").ok();
    assert!(bare.lines().len() == 1 && bare.stdout().starts_with("poll"), "{}", bare.stdout());
    // One run has no spread.
    assert_eq!(bare.stdout().split_whitespace().nth(5), Some("-"), "{}", bare.stdout());
}

#[test]
fn for_programs() {
    let arguments = "--quiet --fds 10 --active 1 --runs 1 --selector poll,mio";
    let document = bench(format!("{arguments} --json")).ok().json();
    assert_eq!((&document["command"], &document["complete"]), (&"bench".into(), &true.into()));
    assert_eq!(document["records"][0].get("spread"), Some(&serde_json::Value::Null), "{document}");
    assert_eq!(bench(format!("{arguments} --jsonl")).ok().json_lines().len(), 2);
    let lines = bench(format!("{arguments} --format tsv")).ok().lines();
    assert!(
        lines[0].starts_with("selector\ttrigger\tkind\tfds\tactive\tns_per_event\tspread\tns_per_wait\t")
    );
    assert!(lines[1].starts_with("poll\tlevel\teventfd\t10\t1\t"), "{}", lines[1]);
    for format in ["trace", "dot"] {
        let run = bench(format!("--format {format}")).run();
        run.check(2, &format!("--format {format} is a format of fdscope ")).prints("");
    }
}

/// On a terminal, a line says how far it is, and is gone at the end.
#[test]
fn progress() {
    let (mut master, slave) = terminal();
    let told = std::thread::spawn(move || {
        let mut told = Vec::new();
        // The last slave's close ends it with EIO.
        let _ = master.read_to_end(&mut told);
        String::from_utf8_lossy(&told).into_owned()
    });
    let fdscope = Fdscope::new("bench --for 300ms --fds 2 --active 1 --runs 2 --selector poll --json");
    let run = fdscope.stderr(slave).run();
    assert_eq!(run.status(), 0);
    let told = told.join().unwrap();
    assert!(told.contains("run 1 of 2: poll, 2 fds, 1 active"), "{told:?}");
    // It is wiped out in the end. A note that the figures were disturbed may follow.
    let rest = told.rsplit("\u{1b}[2K").next().unwrap();
    assert!(told.contains("\u{1b}[2K") && !rest.contains("run "), "{told:?}");
    assert_eq!(run.records().len(), 1);
}

#[test]
fn on_a_terminal() {
    let (text, status) = run_on_terminal(bench("--fds 2,20 --active 1 --runs 1 --selector poll --quiet"));
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("NS_PER_EVENT") && text.contains("Time for an event"), "{text}");
}
