//! `--servers`: that all three are asked, that they are what they are said to be, and that none is
//! left behind.

use crate::support::{Background, Fdscope, eventually, limit, run_on_terminal};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::process::Command;

/// The run to be: short, and small.
fn servers(arguments: &str) -> Fdscope {
    Fdscope::new(format!("bench --servers --quiet --for 60ms --runs 2 --compute 1ms {arguments}"))
}

fn of<'r>(records: &'r [Value], load: &str, model: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["load"] == load && record["model"] == model).collect()
}

fn number(record: &Value, name: &str) -> f64 {
    let pointer = format!("/{}", name.replace('.', "/"));
    let value = record.pointer(&pointer).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no number {name}: {record}"))
}

#[test]
fn all_loads_and_models() {
    let records = servers("--connections 2,5,2 --busy 3").records();
    assert_eq!(records.len(), 12);
    for model in ["threads", "processes", "event-loop"] {
        let echo = of(&records, "echo", model);
        for (record, connections) in echo.iter().zip([2.0, 5.0]) {
            assert_eq!(number(record, "connections"), connections);
            assert_eq!(number(record, "busy"), connections.min(3.0));
            let (threads, processes) = match model {
                // One waits for signals, one accepts; in the parent of processes too.
                "threads" => (connections + 2.0, 1.0),
                "processes" => (connections + 2.0, connections + 1.0),
                _ => (1.0, 1.0),
            };
            assert_eq!((number(record, "threads"), number(record, "processes")), (threads, processes));
            assert_eq!((&record["compute"], &record["computed_per_second"]), (&Value::Null, &Value::Null));
        }
        let [connect] = of(&records, "connect", model)[..] else { panic!("{records:?}") };
        assert_eq!((number(connect, "connections"), number(connect, "busy")), (3.0, 3.0));
        let [compute] = of(&records, "compute", model)[..] else { panic!("{records:?}") };
        assert_eq!((number(compute, "busy"), number(compute, "computing")), (3.0, 1.0));
        assert_eq!(number(compute, "compute"), 0.001);
        for record in echo.into_iter().chain([connect, compute]) {
            whole(record);
        }
    }
}

/// What every record has.
fn whole(record: &Value) {
    let percentiles = ["latency.p50", "latency.p90", "latency.p99", "latency.max"];
    let latencies = percentiles.map(|name| number(record, name));
    assert!(latencies[0] > 0.0 && latencies.is_sorted(), "{record}");
    assert!(number(record, "requests") >= number(record, "busy"), "{record}");
    assert_eq!((number(record, "runs"), record["samples"].as_array().map(Vec::len)), (2.0, Some(2)));
    assert!(number(record, "context_switches") >= 0.0, "{record}");
    for name in ["cpu_per_request", "memory", "rss", "threads", "processes"] {
        assert!(number(record, name) > 0.0, "{name}: {record}");
    }
    // Where processes come and go, they grow between one look and the other.
    let kept = record["load"] != "connect";
    assert!(!kept || number(record, "rss") >= number(record, "memory"), "{record}");
    // A client that hardly gets to run may round to none of the time.
    assert!(number(record, "spread") >= 0.0 && number(record, "client") >= 0.0, "{record}");
}

#[test]
fn some_of_them() {
    let records =
        servers("--load compute --model event-loop,threads --busy 2 --computing 2 --clients 2 --jsonl")
            .ok()
            .json_lines();
    let models: Vec<_> = records.iter().map(|record| record["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["threads", "event-loop"]);
    for record in &records {
        // Nobody is left whose requests are not computed.
        assert_eq!(number(record, "requests_per_second"), 0.0);
        assert_eq!(record["latency"]["p50"], Value::Null);
        assert!(number(record, "requests") >= 2.0, "{record}");
    }
}

#[test]
fn a_table_and_what_it_says() {
    let run = servers("--connections 2,4 --busy 2").ok();
    let lines = run.lines();
    let heading: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(heading[..6], ["LOAD", "MODEL", "CONNS", "BUSY", "REQ/S", "SPREAD"]);
    assert_eq!(lines.iter().position(|line| line.is_empty()), Some(13));
    for line in &lines[1..13] {
        let spread = line.split_whitespace().nth(5).and_then(|cell| cell.strip_suffix('%'));
        assert!(spread.is_some_and(|spread| spread.parse::<u32>().is_ok()), "{line}");
    }
    let said = lines[14..].join("\n");
    for start in [
        "2 connections, 2 of them busy: ",
        "4 connections, 2 of them busy: ",
        "A connection for each request, 2 at a time: ",
        "1 of 2 busy connections had every request computed for 1 ms. Median of all others: ",
        "The clients had ",
    ] {
        assert!(said.contains(start), "{said}");
    }
    let run = servers("--load echo --model threads --connections 2 --no-header --format tsv").ok();
    assert!(run.stdout().starts_with("echo\tthreads\t2\t2\t0\t"), "{}", run.stdout());
}

#[test]
fn progress_on_a_terminal() {
    let fdscope =
        Fdscope::new("bench --servers --for 300ms --runs 2 --load echo --connections 3 --model threads");
    let (text, status) = run_on_terminal(fdscope);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("REQ/S"), "{text}");
}

#[test]
fn nonsense() {
    for arguments in [
        "--servers --connections 0",
        "--servers --connections x",
        "--servers --busy 0",
        "--servers --model thread",
        "--servers --load idle",
        "--servers --compute 0",
        "--servers --compute 2s",
        "--servers --computing 0",
        "--servers --clients 0",
        "--servers --fds 10",
        "--servers --selector poll",
        "--servers --plot x.svg",
        "--connections 10",
        "--load echo",
        "--compute 10ms",
    ] {
        let run = Fdscope::new(format!("bench {arguments}")).run();
        run.check(2, "error: ").prints("");
    }
    let run = servers("--busy 3 --computing 4").run();
    run.check(2, "fdscope: --computing 4 is more than there are busy connections: --busy is 3").prints("");
    let run = servers("").env("FDSCOPE_PROC", "/tmp").run();
    run.check(2, "fdscope: --servers looks at processes of its own: FDSCOPE_PROC=/tmp is another /proc")
        .prints("");
}

/// The soft limit of fds is raised. The hard one leaves out what does not fit, with the command that
/// would allow it.
#[test]
fn limits() {
    let few = |arguments: &str| {
        servers(arguments).with(|command: &mut Command| limit(command, libc::RLIMIT_NOFILE, 20, 150))
    };
    let records = few("--load echo --connections 50 --model threads").records();
    assert_eq!(records.len(), 1);
    let run = few("--load echo --connections 5,500 --model threads,event-loop --json").run();
    run.check(3, "threads with 500 connections is not measured: the hard nofile limit leaves 1");
    run.check(3, ", and 500 are needed; as root, 'prlimit --pid $$ --nofile=");
    let document = run.json();
    assert_eq!((&document["complete"], &document["denied"]), (&false.into(), &2.into()));
    assert_eq!(document["records"].as_array().map(Vec::len), Some(2));
    // Nobody has asked for so many.
    few("--load echo --json").run().check(0, "with 1000 connections is not measured");
}

/// The processes that descend from a run, once there are so many.
fn family(run: &Background, count: usize) -> Vec<u32> {
    eventually("its servers run", || descendants(run.pid()).len() >= count);
    descendants(run.pid())
}

fn descendants(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|text| text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    children.iter().flat_map(|&child| [vec![child], descendants(child)].concat()).collect()
}

/// Whether a process is there, and has not ended.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// What was measured is shown, and no server is left.
#[test]
fn ended_by_a_signal() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let arguments = "--servers --for 1h --load compute,connect --connections 3 --json";
        let run = Fdscope::new(format!("bench {arguments}")).start();
        let servers = family(&run, 3);
        let run = run.end_by(signal);
        let stderr = format!("fdscope: ended by {signal} with 0 of 6 figures\n");
        assert!(run.check_signal(signal, &stderr).records().is_empty());
        assert!(!servers.into_iter().any(runs));
    }
}

/// What is killed cannot end its servers, but the kernel does.
#[test]
fn killed() {
    let arguments = "--servers --for 1h --load echo --connections 3";
    let run = Fdscope::new(format!("bench {arguments}")).start();
    // Three servers, and three more processes of one of them.
    let servers = family(&run, 6);
    run.end_by(Signal::SIGKILL);
    eventually("all servers have ended", || !servers.iter().any(|&pid| runs(pid)));
}
