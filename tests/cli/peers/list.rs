//! `list --peers`, where all can be known.

use super::{check, check_fd, peer, record};
use crate::support::{Fdscope, Helper};
use serde_json::{Value, json};

/// A pid that the helper told.
fn told(helper: &Helper, name: &str) -> u32 {
    helper.told[name].as_u64().unwrap_or_else(|| panic!("{name} was not told")) as u32
}

/// An fd of the helper, whose other end is the standard input of a process that it started: both
/// know of each other.
fn pair(helper: &Helper, own: &str, child: &str) {
    let (pid, fd) = (told(helper, child), helper.fd(own));
    check(helper, own, json!([peer(pid, "sleep", 0)]), &format!(", with {pid}/sleep 0"));
    let ending = format!(", with {}/helper {fd}", helper.pid());
    check_fd(pid, 0, json!([peer(helper.pid(), "helper", fd)]), &ending);
}

#[test]
fn pipes() {
    let helper = Helper::start("peers::pipe");
    let (pid, child) = (helper.pid(), told(&helper, "reader"));
    let own = |name: &str| peer(pid, "helper", helper.fd(name));
    check(&helper, "writer", json!([peer(child, "sleep", 0)]), &format!(", to {child}/sleep 0"));
    let writers = record(child, 0);
    assert_eq!(writers["peers"].as_array().unwrap().len(), 2, "both fds for the other end: {writers}");
    assert_eq!(writers["pending"], false);
    let ending = format!(", from {pid}/helper {}", helper.fd("own writer"));
    check(&helper, "own reader", json!([own("own writer")]), &ending);
    let ending = format!(", to {pid}/helper {}", helper.fd("own reader"));
    check(&helper, "own writer", json!([own("own reader")]), &ending);
    check(&helper, "both", json!([own("reader of both"), own("writer of both")]), "");
    let mut of_reader = vec![own("both"), own("writer of both")];
    of_reader.sort_by_key(|peer| peer["fd"].as_i64());
    check(&helper, "reader of both", json!(of_reader), "");
}

#[test]
fn several_hold_the_other_end() {
    let helper = Helper::start("peers::prefork");
    let mut readers: Vec<u64> =
        helper.told["readers"].as_array().unwrap().iter().map(|pid| pid.as_u64().unwrap()).collect();
    readers.sort_unstable();
    let peers: Vec<Value> = readers.iter().map(|&pid| peer(pid as u32, "sleep", 0)).collect();
    let [one, two, three, ..] = readers[..] else { panic!("five were started") };
    let ending = format!(", to {one}/sleep 0, {two}/sleep 0, {three}/sleep 0 and 2 more");
    check(&helper, "writer", json!(peers), &ending);
}

#[test]
fn nobody_at_the_other_end() {
    let helper = Helper::start("peers::alone");
    for name in ["reader", "writer", "tcp", "fifo"] {
        check(&helper, name, json!([]), ", nobody at the other end");
    }
    for name in ["unix", "dgram"] {
        check(&helper, name, json!([]), " connected, closed by the other end");
    }
    for name in ["listener", "path"] {
        let record = record(helper.pid(), helper.fd(name));
        assert!(record.get("peers").is_none() && record.get("pending").is_none(), "{record}");
    }
    let alone = helper.list("--quiet --columns fd --no-header --where").arg("peers == []").ok();
    assert_eq!(alone.lines().len(), 6, "{}", alone.stdout());
}

#[test]
fn fifos_by_whatever_name() {
    let helper = Helper::start("peers::fifo");
    let child = told(&helper, "reader");
    check(&helper, "writer", json!([peer(child, "sleep", 0)]), &format!(", to {child}/sleep 0"));
    let ending = format!(", from {}/helper {}", helper.pid(), helper.fd("writer"));
    check_fd(child, 0, json!([peer(helper.pid(), "helper", helper.fd("writer"))]), &ending);
}

#[test]
fn unix_sockets() {
    let helper = Helper::start("peers::unix");
    for (own, child) in
        [("stream", "stream"), ("dgram", "dgram"), ("seqpacket", "seqpacket"), ("client", "accepted")]
    {
        pair(&helper, own, child);
    }
    // Many send to one, who knows none of them.
    let server = told(&helper, "server");
    let own = |name| peer(helper.pid(), "helper", helper.fd(name));
    check(&helper, "one", json!([peer(server, "sleep", 0)]), &format!(", with {server}/sleep 0"));
    check_fd(server, 0, json!([own("one"), own("two")]), "");
    assert!(record(helper.pid(), helper.fd("listener")).get("peers").is_none());
}

#[test]
fn tcp_connections() {
    let helper = Helper::start("peers::tcp");
    pair(&helper, "client", "server");
    if helper.was_skipped() {
        return;
    }
    pair(&helper, "mapped", "server of mapped");
    pair(&helper, "six", "server of six");
}

#[test]
fn connections_that_nobody_has_accepted() {
    let helper = Helper::start("peers::tcp_waiting");
    let listener = told(&helper, "listener");
    check(
        &helper,
        "client",
        json!([peer(listener, "sleep", 0)]),
        &format!(", waiting at {listener}/sleep 0"),
    );
    assert_eq!(record(helper.pid(), helper.fd("client"))["pending"], true);
    // The listener knows who waits.
    let ending = format!(", queue 1 of 129, not accepted: {}/helper {}", helper.pid(), helper.fd("client"));
    check_fd(listener, 0, json!([peer(helper.pid(), "helper", helper.fd("client"))]), &ending);
    assert_eq!(record(listener, 0)["pending"], true);
    let helper = Helper::start("peers::unix_waiting");
    let mut listeners = [told(&helper, "one"), told(&helper, "two")];
    listeners.sort_unstable();
    let [one, two] = listeners;
    let peers = json!([peer(one, "sleep", 0), peer(two, "sleep", 0)]);
    check(&helper, "client", peers, &format!(", waiting at {one}/sleep 0, {two}/sleep 0"));
    check_fd(one, 0, json!([peer(helper.pid(), "helper", helper.fd("client"))]), "");
    let waits = helper.list("--quiet --columns fd --no-header --where pending").ok();
    assert_eq!(waits.stdout().trim(), helper.fd("client").to_string());
}

#[test]
fn udp_sockets() {
    let helper = Helper::start("peers::udp");
    pair(&helper, "one", "other");
    pair(&helper, "server", "client");
    // Whoever wants to may send here.
    let record = record(helper.pid(), helper.fd("unasked"));
    assert_eq!(record["peers"], Value::Null, "{record}");
}

#[test]
fn a_server_of_udp_on_all_addresses() {
    let helper = Helper::start("peers::udp_any");
    for name in ["", " of both"] {
        let Some(server) = helper.told[format!("server{name}")].as_u64() else { continue };
        let client = format!("client{name}");
        check(
            &helper,
            &client,
            json!([peer(server as u32, "sleep", 0)]),
            &format!(", with {server}/sleep 0"),
        );
        check_fd(server as u32, 0, json!([peer(helper.pid(), "helper", helper.fd(&client))]), "");
    }
}

#[test]
fn what_a_thread_has_for_itself() {
    let helper = Helper::start("threads::pipe_to_own_table");
    if helper.was_skipped() {
        return;
    }
    let of = |arguments: &str| {
        let run = helper.list(&format!("--peers --json --quiet --kind pipe {arguments}")).run().records();
        let reader = run.iter().find(|r| r["fd"] == helper.fd("reader") && r.get("tid").is_none());
        reader.unwrap_or_else(|| panic!("{run:?}")).clone()
    };
    let writer = helper.told["writer"].as_i64().unwrap();
    let seen = of("--threads");
    assert_eq!(seen["peers"], json!([peer(helper.pid(), "helper", writer)]), "{seen}");
    // To ask every thread takes time, and is not done unasked.
    let seen = of("");
    assert_eq!(seen["peers"], Value::Null, "{seen}");
    assert!(seen["name"].as_str().unwrap().ends_with(", other end not known"), "{seen}");
}

#[test]
fn what_has_but_one_end() {
    let helper = Helper::start("peers::eventfds");
    let child = told(&helper, "child");
    let own = |name| peer(helper.pid(), "helper", helper.fd(name));
    let (shared, twin) = (helper.fd("shared"), helper.fd("twin"));
    let mut all = vec![peer(child, "sleep", 0), own("twin")];
    all.sort_by_key(|peer| peer["pid"].as_u64());
    check(&helper, "shared", json!(all), "");
    let ending = format!("{}/helper {},{}", helper.pid(), shared.min(twin), shared.max(twin));
    let name = record(child, 0)["name"].clone();
    assert!(name.as_str().unwrap().ends_with(&format!(", shared with {ending}")), "{name}");
    let helper = Helper::start("peers::queue");
    if helper.was_skipped() {
        return;
    }
    let child = told(&helper, "child");
    check(&helper, "queue", json!([peer(child, "sleep", 0)]), &format!(", shared with {child}/sleep 0"));
}

#[test]
fn a_command_with_an_odd_name() {
    let helper = Helper::start("peers::odd_name");
    let (pid, fd) = (told(&helper, "pid"), helper.fd("writer"));
    let record = record(helper.pid(), fd);
    assert_eq!(record["peers"], json!([peer(pid, "a,b;\n\u{1b}[31m 9", 0)]));
    let list = |more: &str| helper.list(&format!("--fd {fd} --quiet --no-header {more}")).ok().stdout();
    let table = list("--peers --columns name");
    assert!(table.ends_with(&format!(", to {pid}/a,b;\\n\\x1b[31m 9 0\n")), "{table:?}");
    assert_eq!(list("--columns peers"), format!("{pid}/a,b;\\n\\x1b[31m 9 0\n"));
    assert_eq!(list("--columns peers --format tsv"), format!("{pid}/a\\x2cb;\\n\\x1b[31m 9:0\n"));
}

/// What is not asked for is not looked for.
#[test]
fn only_on_request() {
    let helper = Helper::start("peers::pipe");
    let fd = format!("--fd {}", helper.fd("writer"));
    let plain = helper.list(&fd).ok();
    let name = plain.stdout();
    assert!(name.contains("write end") && !name.contains(", to "), "{name}");
    let records = helper.list(&fd).records();
    assert!(records[0].get("peers").is_none());
    // The field alone does not change the name.
    let records = helper.list(&format!("{fd} --columns name,peers --quiet")).records();
    assert!(records[0]["name"].as_str().unwrap().ends_with(", empty"), "{records:?}");
    assert_eq!(records[0]["peers"].as_array().map(Vec::len), Some(1));
    let conflict = Fdscope::new("list --peers --count").run();
    conflict.check(2, "cannot be used with").prints("");
}

#[test]
fn beside_all_formats() {
    let helper = Helper::start("peers::tcp_waiting");
    let (fd, listener) = (helper.fd("client"), told(&helper, "listener"));
    let list = |format: &str| helper.list(&format!("--fd {fd} --peers --quiet {format}")).ok();
    let tsv = list("--format tsv").lines();
    assert!(tsv[0].ends_with("\tname\tpeers\tpending"), "{tsv:?}");
    assert!(tsv[1].ends_with(&format!("\t{listener}/sleep:0\ttrue")), "{tsv:?}");
    let record = list("--jsonl").json_lines().remove(0);
    assert_eq!(record["peers"], json!([peer(listener, "sleep", 0)]));
    assert!(!list("").stdout().contains("PEERS"), "it is in the name");
}
