//! Formats and columns.

use super::{of, settle};
use crate::support::{Fdscope, Helper};
use serde_json::json;

#[test]
fn a_table_for_one_and_for_several() {
    let helper = Helper::start("threads::states::reader");
    settle(|| of(&helper, "").records(), &[("reads", json!({"call": "read"}))]);
    let lines = of(&helper, "").ok().lines();
    assert!(
        lines[0].split_whitespace().eq(["TID", "NAME", "STATE", "CPU", "ASLEEP", "WAITS_FOR"]),
        "{lines:?}"
    );
    let line = lines.iter().find(|l| l.contains(" reads ")).unwrap();
    assert!(
        line.contains("read on ") && line.contains(" (pipe read end of ") && line.contains(", empty"),
        "{line}"
    );
    let other = Helper::start("threads::states::reader");
    let both = Fdscope::new(format!("threads {} {}", helper.pid(), other.pid())).ok().lines();
    assert!(both[0].split_whitespace().take(3).eq(["PID", "COMMAND", "TID"]), "{both:?}");
    // Named twice, by itself and by a thread, it is shown once.
    let twice = Fdscope::new(format!("threads {} {}", helper.pid(), helper.pid())).ok().lines();
    assert_eq!(twice.len(), lines.len());
}

#[test]
fn columns_and_their_list() {
    let helper = Helper::start("threads::states::reader");
    let help = Fdscope::new("threads self --columns help --format tsv --no-header").ok();
    let fields: Vec<String> = help.lines().iter().map(|l| l.split('\t').next().unwrap().to_owned()).collect();
    for field in ["tid", "waits_for", "futex.others", "serving.model", "share"] {
        assert!(fields.iter().any(|f| f == field), "{fields:?}");
    }
    let tsv = of(&helper, "--format tsv --columns tid,call,processor").ok().lines();
    assert_eq!(tsv[0], "tid\tcall\tprocessor");
    assert!(tsv[1..].iter().all(|l| l.split('\t').count() == 3), "{tsv:?}");
    // All that there is, in every format.
    let all = fields.join(",");
    for format in ["table", "json", "jsonl", "tsv"] {
        let run = of(&helper, &format!("--format {format} --columns {all}")).run();
        run.check(0, "");
    }
}

#[test]
fn json_has_every_thread_and_says_how_the_process_serves_once() {
    let helper = Helper::start("threads::states::reader");
    let run = of(&helper, "--json").ok();
    let document = run.json();
    assert_eq!((&document["command"], &document["complete"]), (&json!("threads"), &json!(true)));
    let records = run.records();
    assert!(records.iter().all(|r| r["serving"]["model"] == "unknown"), "{records:?}");
    let told = records.iter().filter(|r| r["serving"].get("evidence").is_some()).count();
    assert_eq!(told, 1);
    assert_eq!(records[0]["tid"], helper.pid());
}

#[test]
fn expressions() {
    let helper = Helper::start("threads::states::reader");
    settle(|| of(&helper, "").records(), &[("reads", json!({"call": "read"}))]);
    let of_name = |expression: &str| of(&helper, "").arg("--where").arg(expression).records();
    let found = of_name("call == \"read\" && name == \"reads\" && fds[0].kind == \"pipe\"");
    assert_eq!((found.len(), &found[0]["name"]), (1, &json!("reads")));
    assert!(of_name("waits_for.contains(\"pipe\")").iter().any(|r| r["name"] == "reads"));
}
