//! `--where`.

use crate::support::{Fdscope, Helper};

/// Lists the fds from 3 on that an expression holds for, by the helper's names for them.
fn found(helper: &Helper, expression: &str) -> Vec<String> {
    let run = helper.list("--json --fd 3- --where").arg(expression).run();
    let records = run.records();
    run.check(i32::from(records.is_empty()), "");
    let name = |fd: &serde_json::Value| {
        let fact = helper.facts.iter().find(|f| f["fd"] == *fd).unwrap_or_else(|| run.fail("a strange fd"));
        fact["$name"].as_str().unwrap().to_owned()
    };
    records.iter().map(|r| name(&r["fd"])).collect()
}

#[test]
fn expressions_choose_rows() {
    let helper = Helper::start("selecting::mixed");
    let port = &helper.told["port"];
    let check = |expression: &str, expected: &[&str]| {
        assert_eq!(found(&helper, expression), expected, "{expression}");
    };
    check("kind == 'eventfd'", &["eventfd"]);
    check(&format!("tcp.local_port == {port} && tcp.state == 'listen'"), &["listener"]);
    check(&format!("tcp.local == '127.0.0.1:{port}'"), &["listener"]);
    check("kind in ['udp', 'unix']", &["udp", "unix"]);
    check("name.matches('/dir(/below)?$')", &["directory", "dir/below"]);
    check("path.endsWith('/dirt')", &["dirt"]);
    check("deleted || kind == 'char'", &["gone", "null"]);
    check("deleted && regular.size < 1K", &["gone"]);
    check("regular.size > 1K", &[]);
    check("kind == 'regular' && !deleted", &["dir/below", "dirt"]);
    check("'cloexec' in flags && kind == 'unix'", &["unix"]);
    check("eventfd.count == 0 || unix.type == 'stream'", &["unix", "eventfd"]);
}

#[test]
fn any_field_may_be_asked_whatever_is_shown() {
    let helper = Helper::start("pipes::pipe");
    let run = helper.list("--columns fd --no-header --where").arg("pipe.queued == 5 && access == 'w'").ok();
    run.prints(&format!("{}\n", helper.fd("writer")));
    let run = helper.list("--pids --where").arg("pipe.capacity >= 4Ki && uid >= 0").ok();
    run.prints(&format!("{}\n", helper.pid()));
    let records = helper.list("--count --where").arg("pipe.queued > 0").records();
    assert_eq!(records.iter().map(|r| &r["count"]).collect::<Vec<_>>(), [2]);
    let run = helper.list("--pids --where").arg("user == 'no such user'").run();
    run.check(1, "").prints("");
}

#[test]
fn lists_of_records_can_be_searched() {
    let helper = Helper::start("epoll::same_number_twice");
    let run = helper.list("--columns kind --no-header --where").arg("epoll.watched.exists(w, w.stale)").ok();
    run.prints("epoll\n");
    let none = "epoll.watched.exists(w, w.kind == 'tcp')";
    helper.list("--where").arg(none).run().check(1, "").prints("");
}

/// Names are text as JSON shows it.
#[test]
fn strange_names_can_be_asked_for() {
    let helper = Helper::start("files::strange_names");
    assert_eq!(found(&helper, r"path.contains('bad\\xff')"), [r"bad\xff\xfeutf8"]);
    assert_eq!(found(&helper, r"path.endsWith('two\nlines')"), ["two\nlines"]);
}

#[test]
fn mistakes_are_told_before_anything_is_read() {
    let refused = |expression: &str, told: &str| {
        Fdscope::new("list 1 --where").arg(expression).run().check(2, told).prints("");
    };
    refused("knd == 'tcp'", "there is no field 'knd'; did you mean 'kind'?");
    refused("tcp.stat == 'listen'", "did you mean 'tcp.state'?");
    refused("pid == 'x'", "pid is an integer, but 'x' is a string");
    refused("pid", "not a condition");
    refused("pid ==", "--where: ");
    refused("(pid == 1", "--where: ");
    refused("", "--where");
    refused(
        "has(unowned)",
        "has() takes a field that has a dot in its name, as has(tcp.state); of others, NAME != null",
    );
    refused("name.matches('[')", "regular expression");
    refused("name.shout()", "there is no function 'shout'");
    refused("kind == 'x' && fd == 'y'", "\n  kind == 'x' && fd == 'y'\n                 ^");
}

/// A name that no record in a list has would be true of none, without a word.
#[test]
fn a_misspelt_name_inside_records() {
    for command in ["list self", "sockets"] {
        let expression = "peers.exists(p, p.comand == 'x')";
        let run = Fdscope::new(format!("{command} --where")).arg(expression).run();
        run.check(2, "these records have no 'comand', but pid, command, fd; did you mean 'command'?");
    }
}
