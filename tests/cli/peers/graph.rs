//! `fdscope peers`: the graph.

use super::{holder, holder_with, peer};
use crate::exhibits::listed;
use crate::support::{FakeProc, Fdscope, Helper, Keeper, Skip, difference, pass};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::{Value, json};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;

listed! { "graph": chain bundle crowd }

fn cloexec() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::CLOEXEC).unwrap()
}

/// A pipe to a process, which has one to another.
fn chain(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = cloexec();
    let (far_reader, far_writer) = cloexec();
    let middle = holder_with(&["sleep", "600"], reader, |command| {
        command.stdout(far_writer);
    });
    let last = holder(far_reader);
    (keeper.told["middle"], keeper.told["last"]) = (middle.id().into(), last.id().into());
    keeper.keep((middle, last));
    keeper.show("writer", writer, json!({}));
    Ok(())
}

/// Five pipes between the same two processes.
fn bundle(keeper: &mut Keeper) -> Result<(), Skip> {
    let null = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let (readers, writers): (Vec<_>, Vec<_>) = (0..5).map(|_| cloexec()).unzip();
    let child = holder_with(&["sleep", "600"], null, |command| {
        for (reader, number) in readers.iter().zip(10..) {
            pass(command, reader.as_fd(), number);
        }
    });
    keeper.told["child"] = child.id().into();
    keeper.keep(child);
    for writer in writers {
        keeper.show("writer", writer, json!({}));
    }
    Ok(())
}

/// A pipe of which one process has four writing ends, and another four reading ends.
fn crowd(keeper: &mut Keeper) -> Result<(), Skip> {
    let null = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let (reader, writer) = cloexec();
    let child = holder_with(&["sleep", "600"], null, |command| {
        for number in 10..14 {
            pass(command, reader.as_fd(), number);
        }
    });
    keeper.told["child"] = child.id().into();
    keeper.keep(child);
    rustix::io::write(&writer, b"abc").unwrap();
    for _ in 0..4 {
        keeper.show("writer", writer.try_clone().unwrap(), json!({}));
    }
    Ok(())
}

fn told(helper: &Helper, name: &str) -> u32 {
    helper.told[name].as_u64().unwrap_or_else(|| panic!("{name} was not told")) as u32
}

/// `fdscope peers` without what is said of other processes.
fn peers(arguments: &str) -> Fdscope {
    Fdscope::new(format!("peers --quiet {arguments}"))
}

#[test]
fn a_tree_as_deep_as_is_asked_for() {
    let helper = Helper::start("graph::chain");
    let (pid, fd) = (helper.pid(), helper.fd("writer"));
    let (middle, last) = (told(&helper, "middle"), told(&helper, "last"));
    let own = format!("{pid}/helper\n  {fd}  pipe  to {middle}/sleep 0\n");
    peers(&format!("{pid}:{fd}")).ok().prints(&own);
    let beyond = format!("      {middle}/sleep\n        1  pipe  to {last}/sleep 0\n");
    for depth in [2, 3, 4_000_000_000_u32] {
        peers(&format!("{pid}:{fd} --depth {depth}")).ok().prints(&format!("{own}{beyond}"));
    }
    // From the other end it looks the other way.
    let tree = format!(
        "{last}/sleep\n  0  pipe  from {middle}/sleep 1\n      {middle}/sleep\n        0  pipe  from {pid}/helper {fd}\n"
    );
    peers(&format!("{last} --depth 2")).ok().prints(&tree);
}

#[test]
fn records_of_every_format() {
    let helper = Helper::start("graph::chain");
    let (pid, fd) = (helper.pid(), helper.fd("writer"));
    let (middle, last) = (told(&helper, "middle"), told(&helper, "last"));
    let target = format!("{pid}:{fd} --depth 2");
    let document = peers(&format!("{target} --json")).ok().json();
    let expected = json!({"schema": 1, "command": "peers", "records": [
        {"pid": pid, "command": "helper", "fd": fd, "kind": "pipe", "peers": [peer(middle, "sleep", 0)],
         "pending": false, "unread": {"$absent": true}, "unsent": 0, "stuck": {"$absent": true}},
        {"pid": middle, "command": "sleep", "fd": 1, "kind": "pipe", "peers": [peer(last, "sleep", 0)]},
    ]});
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new(), "{document}");
    assert_eq!(peers(&format!("{target} --jsonl")).ok().json_lines().len(), 2);
    let tsv = peers(&format!("{target} --format tsv")).ok().lines();
    assert_eq!(tsv[0], "pid\tcommand\tfd\tkind\tname\tpeers\tpending\tunread\tunsent\tstuck");
    assert!(tsv[1].starts_with(&format!("{pid}\thelper\t{fd}\tpipe\twrite end of ")), "{tsv:?}");
    assert!(tsv[1].ends_with(&format!("\t{middle}/sleep:0\tfalse\t\t0\t")), "{tsv:?}");
    assert_eq!(peers(&format!("{target} --format tsv --no-header")).ok().lines().len(), 2);
}

#[test]
fn an_edge_is_told_once() {
    let helper = Helper::start("peers::pipe");
    let records = peers(&format!("{} --kind pipe --json", helper.pid())).ok().records();
    let fds = |records: &[Value]| records.iter().filter_map(|r| r["fd"].as_i64()).collect::<Vec<_>>();
    let shown = fds(&records);
    let (reader, writer) = (helper.fd("own reader"), helper.fd("own writer"));
    assert!(shown.contains(&reader) && !shown.contains(&writer), "{records:?}");
    // Both fds for one end are there, each with an edge of its own.
    let of_child = |r: &&Value| r["peers"][0]["pid"] == helper.told["reader"];
    assert_eq!(records.iter().filter(of_child).count(), 2);
    // In a listing of all processes too.
    let child = told(&helper, "reader");
    let all = peers("--kind pipe --json").ok().records();
    let ends = |pid: u32| all.iter().filter(|r| r["pid"] == pid).count();
    assert_eq!((ends(helper.pid()) > 0, ends(child) > 0), (true, false), "it is known from the other end");
}

#[test]
fn many_alike_are_one_line_for_people() {
    let helper = Helper::start("graph::bundle");
    let (pid, child) = (helper.pid(), told(&helper, "child"));
    let fds: Vec<i64> = helper.facts.iter().map(|fact| fact["fd"].as_i64().unwrap()).collect();
    let (first, last) = (fds[0], fds[4]);
    let target = format!("{pid}:{first}-{last}");
    let line = format!("  {first}..{last}  pipe ×5  to {child}/sleep 10,11,12,13 and 1 more\n");
    peers(&target).ok().prints(&format!("{pid}/helper\n{line}"));
    assert_eq!(peers(&format!("{target} --jsonl")).ok().json_lines().len(), 5);
    let dot = peers(&format!("{target} --format dot")).ok().stdout();
    assert!(dot.contains(&format!("p{pid} -> p{child} [dir=forward, label=\"5 × pipe\"];")), "{dot}");
}

#[test]
fn a_graph_for_graphviz() {
    let helper = Helper::start("graph::chain");
    let (pid, fd) = (helper.pid(), helper.fd("writer"));
    let (middle, last) = (told(&helper, "middle"), told(&helper, "last"));
    let mut nodes = [(pid, "helper"), (middle, "sleep"), (last, "sleep")];
    nodes.sort_unstable();
    let nodes: String =
        nodes.iter().map(|(pid, command)| format!("  p{pid} [label=\"{command}\\n{pid}\"];\n")).collect();
    let expected = format!(
        "digraph peers {{\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n{nodes}  \
         p{pid} -> p{middle} [dir=forward, label=\"pipe {fd} → 0\"];\n  \
         p{middle} -> p{last} [dir=forward, label=\"pipe 1 → 0\"];\n}}\n"
    );
    let target = format!("{pid}:{fd} --depth 2 --format dot");
    peers(&target).ok().prints(&expected);
    peers(&target).ok().prints(&expected);
}

/// An edge from each end to each other would be too many to be drawn.
#[test]
fn what_many_share_is_a_node_of_the_picture() {
    let helper = Helper::start("graph::crowd");
    let (pid, child) = (helper.pid(), told(&helper, "child"));
    let fds: Vec<i64> = helper.facts.iter().map(|fact| fact["fd"].as_i64().unwrap()).collect();
    let target = format!("{pid}:{}-{}", fds[0], fds[3]);
    let dot = peers(&format!("{target} --format dot")).ok().stdout();
    let writers: Vec<String> = fds.iter().map(i64::to_string).collect();
    let hub = format!(
        "  hub0 [label=\"pipe\\n3 unread\", shape=ellipse];\n  \
         p{pid} -> hub0 [dir=forward, label=\"{}\"];\n  \
         hub0 -> p{child} [dir=forward, label=\"10,11,12,13\"];\n}}\n",
        writers.join(",")
    );
    assert!(dot.ends_with(&hub), "{dot}");
    assert_eq!(peers(&format!("{target} --jsonl")).ok().json_lines().len(), 4);
}

#[test]
fn graphviz_reads_it_whatever_names_are_in_it() {
    let odd = Helper::start("peers::odd_name");
    let alone = Helper::start("peers::alone");
    let waiting = Helper::start("peers::tcp_waiting");
    let run = peers(&format!("{} {} {} --format dot", odd.pid(), alone.pid(), waiting.pid())).ok();
    let graph = run.stdout();
    assert!(graph.contains(&format!("[label=\"a,b;\\\\n\\\\x1b[31m 9\\n{}\"]", odd.told["pid"])), "{graph}");
    assert!(graph.contains("[label=\"nobody\", shape=plain]"), "{graph}");
    assert!(graph.contains("not accepted\", style=dashed]"), "{graph}");
    let dot = std::process::Command::new("dot")
        .args(["-Tcanon"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut dot = match dot {
        Ok(dot) => dot,
        Err(e) => return eprintln!("skipped: dot(1), because it cannot be run: {e}"),
    };
    std::io::Write::write_all(&mut dot.stdin.take().unwrap(), graph.as_bytes()).unwrap();
    let output = dot.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.len() > 100, "{output:?}");
}

#[test]
fn nobody_and_who_waits() {
    let helper = Helper::start("peers::alone");
    let tree = peers(&helper.pid().to_string()).ok().stdout();
    assert_eq!(tree.matches("nobody at the other end").count(), 6, "{tree}");
    let helper = Helper::start("peers::tcp_waiting");
    let (listener, fd) = (told(&helper, "listener"), helper.fd("client"));
    let tree = peers(&format!("{}:{fd}", helper.pid())).ok().stdout();
    assert!(tree.contains(&format!("\n  {fd}  tcp  waiting at {listener}/sleep 0  127.0.0.1:")), "{tree}");
    let tree = peers(&listener.to_string()).ok().stdout();
    let line = format!("\n  0  tcp  not accepted: {}/helper {fd}  127.0.0.1:", helper.pid());
    assert!(tree.contains(&line) && tree.ends_with(" listen\n"), "{tree}");
    let records = peers(&format!("{listener} --json")).ok().records();
    assert_eq!(records[0]["pending"], true);
}

/// What is at the other end of the world is told where somebody asks for it.
#[test]
fn what_is_not_known() {
    let fake = FakeProc::new();
    let table = "head\n0: 0100007F:0050 08080808:1F90 01 00000007:0000000C 00:0 0 0 0 101 2 0\n";
    fake.process(77, b"one")
        .fd(3, "socket:[101]", "flags:\t02\n")
        .write("net/tcp", table)
        .write("net/dev", "");
    let run = fake.fdscope("peers 77").ok();
    let local = if cfg!(target_endian = "little") { "127.0.0.1" } else { "1.0.0.127" };
    let line =
        format!("  3  tcp  not known who  12 unread here, 7 unread there  {local}:80 → 8.8.8.8:8080\n");
    run.prints(&format!("77/one\n{line}"));
    let dot = fake.fdscope("peers 77 --format dot").ok().stdout();
    assert!(dot.contains("\"at 8.8.8.8:8080\" [label=\"8.8.8.8:8080\", style=dashed];"), "{dot}");
    fake.fdscope("peers").run().check(1, "fdscope: no fd here has another end\n").prints("");
}
