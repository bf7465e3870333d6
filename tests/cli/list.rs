//! `fdscope list`: which rows there are, and what is common to them.

use crate::exhibits;
use crate::support::{Fdscope, Helper, difference, numbers, sorted};
use serde_json::{Value, json};

fn fds(records: &[Value]) -> Vec<i64> {
    records.iter().map(|r| r["fd"].as_i64().expect("every row is an fd")).collect()
}

/// No fd is left out, and none is invented.
#[test]
fn every_fd_is_a_row_in_order() {
    let helper = Helper::start("files::strange_names");
    let records = helper.list("").records();
    assert_eq!(fds(&records), numbers(helper.pid()));
}

#[test]
fn the_document_says_what_it_is() {
    let helper = Helper::start("pipes::pipe");
    let document = helper.list("--json").ok().json();
    let expected = json!({
        "schema": 1, "command": "list", "complete": true, "denied": 0, "vanished": 0, "timed_out": 0,
    });
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new());
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 7, "{keys:?}");
}

/// The keys that scripts rely on, and no others but the kind's own object.
#[test]
fn a_record_has_these_keys() {
    let helper = Helper::start("pipes::pipe");
    let records = helper.list("--fd").arg(helper.fd("reader").to_string()).records();
    let keys = sorted(records[0].as_object().unwrap().keys().map(String::as_str));
    let expected = [
        "access", "assoc", "command", "device", "fd", "flags", "inode", "kind", "name", "pid", "pipe", "pos",
        "uid", "user",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn without_a_target_all_processes_are_listed_but_fdscope_itself() {
    let helper = Helper::start("events::eventfd_kinds");
    let run = Fdscope::new("list --json --quiet").ok();
    let document = run.json();
    let records = document["records"].as_array().unwrap();
    let of = |pid: u32| records.iter().filter(|r| r["pid"] == pid).count();
    assert_eq!(of(helper.pid()), numbers(helper.pid()).len());
    assert_ne!(of(std::process::id()), 0, "we are running too");
    assert_eq!(of(run.pid), 0, "it is here only because it looks");
    let pids: Vec<i64> = records.iter().map(|r| r["pid"].as_i64().unwrap()).collect();
    assert!(pids.is_sorted(), "processes come by pid");
}

#[test]
fn blocking_or_not_is_told_where_it_matters() {
    let helper = Helper::start("pipes::pipe");
    let mode = |helper: &Helper, name: &str| {
        let target = format!("list {}:{} --columns mode --no-header", helper.pid(), helper.fd(name));
        Fdscope::new(target).ok().stdout()
    };
    assert_eq!(mode(&helper, "reader"), "r nonblock\n");
    assert_eq!(mode(&helper, "writer"), "w nonblock\n");
    assert_eq!(mode(&helper, "blocking"), "r block\n");
    let helper = Helper::start("files::character_device");
    assert_eq!(mode(&helper, "null"), "rw\n");
}

#[test]
fn threads_with_a_table_of_their_own() {
    let helper = Helper::start("threads::own_table");
    let apart = &helper.told["apart"];
    let records = helper.list("").records();
    assert!(records.iter().all(|r| r.get("tid").is_none()), "threads are shown on request");
    assert!(records.iter().all(|r| r["fd"] != apart["fd"]), "the leader has no such fd");
    let records = helper.list("--threads").records();
    let with_tid: Vec<&Value> = records.iter().filter(|r| r.get("tid").is_some()).collect();
    assert!(with_tid.iter().all(|r| r["tid"] == apart["tid"]), "the other thread shares the leader's table");
    let counter = with_tid.iter().find(|r| r["fd"] == apart["fd"]).copied();
    let expected = json!({"pid": helper.pid(), "kind": "eventfd", "eventfd": {"count": 1234}});
    assert_eq!(difference(&expected, counter), Vec::<String>::new());
    assert_eq!(with_tid.len(), numbers(helper.pid()).len() + 1, "what it had when it left, and the new one");
}

#[test]
fn what_is_held_without_an_fd() {
    let helper = Helper::start("files::regular");
    let dir = helper.dir().canonicalize().unwrap();
    let records = helper.list("--assoc").records();
    let of = |assoc: &str| records.iter().filter(|r| r["assoc"] == assoc).collect::<Vec<_>>();
    let check = |assoc: &str, expected: Value| {
        let [record] = of(assoc)[..] else { panic!("one row is {assoc}") };
        assert_eq!(difference(&expected, Some(record)), Vec::<String>::new());
        assert!(record.get("fd").is_none(), "{record}");
    };
    let inode = |path: &std::path::Path| rustix::fs::stat(path).unwrap().st_ino;
    check("cwd", json!({"kind": "directory", "path": dir.to_str(), "inode": inode(&dir)}));
    check("root", json!({"kind": "directory", "path": "/"}));
    let program = std::env::current_exe().unwrap();
    check("exe", json!({"kind": "regular", "path": program.to_str(), "inode": inode(&program)}));
    assert_eq!(of("fd").len(), numbers(helper.pid()).len());
    assert!(of("mem").is_empty());
}

#[test]
fn mapped_files() {
    let helper = Helper::start("files::regular");
    let records = helper.list("--mappings").records();
    let program = std::env::current_exe().unwrap();
    let mapped: Vec<&Value> = records.iter().filter(|r| r["assoc"] == "mem").collect();
    let own: Vec<_> = mapped.iter().filter(|r| r["path"] == program.to_str().unwrap()).collect();
    assert_eq!(own.len(), 1, "each file once");
    let inode = rustix::fs::stat(&program).unwrap().st_ino;
    let expected = json!({"kind": "regular", "access": "r", "deleted": false, "inode": inode});
    assert_eq!(difference(&expected, Some(own[0])), Vec::<String>::new());
}

/// Whatever this kernel makes has a kind of its own.
#[test]
fn no_exhibit_is_an_error() {
    for (name, _) in exhibits::KINDS
        .iter()
        .copied()
        .flatten()
        .filter(|(n, _)| n.starts_with("rest::") || n.starts_with("memory::"))
    {
        let helper = Helper::start(name);
        let run = helper.list("--where").arg("kind in ['error', 'other', 'anon_inode']").run();
        run.check(1, "").prints("");
    }
}

/// What leaks into programs that are run is asked for by the fd, not by its description.
#[test]
fn close_on_exec() {
    let helper = Helper::start("pipes::pipe");
    let (closes, stays) = (helper.fd("reader"), helper.fd("blocking"));
    let run = helper.list("--columns fd --no-header --where").arg("!cloexec && fd > 2").ok();
    assert!(run.lines().contains(&stays.to_string()) && !run.lines().contains(&closes.to_string()));
    let both = format!("list {}:{closes},{stays} --columns cloexec", helper.pid());
    Fdscope::new(format!("{both} --no-header")).ok().prints("yes\nno\n");
    Fdscope::new(format!("{both} --format tsv")).ok().prints("cloexec\ntrue\nfalse\n");
    assert_eq!(Fdscope::new(both).records(), [json!({"cloexec": true}), json!({"cloexec": false})]);
}

#[test]
fn a_position_is_shown_where_there_can_be_one() {
    let file = tempfile::tempfile().unwrap();
    let run = Fdscope::new("list self --columns fd,pos --no-header --fd 0-1").stdin(file).ok();
    run.prints("0  0\n1  -\n");
    let tsv = Fdscope::new("list self --columns fd,pos --no-header --fd 1 --format tsv").ok();
    tsv.prints("1\t0\n");
}
