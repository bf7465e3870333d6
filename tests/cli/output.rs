//! Formats, columns, colour, terminals.

use crate::support::{FakeProc, Fdscope, Helper, run_on_terminal};
use serde_json::{Value, json};

/// A made-up process: its rows are the same on every machine.
fn fake() -> FakeProc {
    let fake = FakeProc::new();
    fake.process(77, b"server")
        .fd(3, "anon_inode:[eventfd]", "pos:\t0\nflags:\t02004002\neventfd-count: 2\neventfd-id: 9\n")
        .fd(4, "pidfd:[8]", "pos:\t0\nflags:\t02\nPid:\t-1\n");
    fake
}

/// Rust opens /dev/null where a standard fd is closed; all of the output would be lost there unnoticed.
#[test]
fn a_stdout_that_is_closed() {
    let closing = |redirections: &str, arguments: &str| {
        Fdscope::through(&["sh", "-c", &format!("exec \"$@\" {redirections}"), "sh"], arguments).run()
    };
    for arguments in ["list self", "limits", "--version", "--help", "list --help", "sockets --columns help"] {
        let run = closing(">&-", arguments);
        run.check(2, "fdscope: cannot write the output: Bad file descriptor").prints("");
    }
    assert_eq!(closing(">&- 2>&-", "list self").check(2, "").stdout(), "");
    // The others are not what fdscope was started with either.
    let fds = |redirections: &str| {
        let run = closing(redirections, "list self --columns fd --no-header");
        run.check(0, "").lines().iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fds("<&-"), ["1", "2"]);
    assert_eq!(fds("2>&-"), ["0", "1"]);
    closing("<&-", "watch 0 --timeout 1s").check(3, "fd 0 is not open here");
}

/// Only the real /proc lists fds in order.
fn in_order(fake: &FakeProc, arguments: &str) -> String {
    [3, 4].map(|fd| fake.fdscope(&format!("list 77:{fd} {arguments}")).ok().stdout()).concat()
}

#[test]
fn the_table() {
    let run = fake().fdscope("list 77:3").ok();
    run.prints(
        "PID  COMMAND  FD  MODE         KIND     NAME\n 77  server    3  rw nonblock  eventfd  count 2, id 9\n",
    );
    assert_eq!(
        in_order(&fake(), "--no-header"),
        "77  server  3  rw nonblock  eventfd  count 2, id 9\n77  server  4  rw  pidfd  process has ended\n"
    );
}

#[test]
fn the_table_is_aligned() {
    let helper = Helper::start("selecting::mixed");
    let lines = helper.list("").ok().lines();
    let at = lines[0].find("KIND").unwrap();
    let kinds = ["pipe", "tcp", "tcp6", "udp", "unix", "eventfd", "directory", "regular", "char"];
    for line in &lines[1..] {
        let word = line[at..].split(' ').next().unwrap();
        assert!(kinds.contains(&word) && line[..at].ends_with("  "), "{line}");
    }
    assert!(lines.iter().all(|l| l.trim_end() == l), "no blanks at ends of lines");
}

/// What ordinary programs hold reads well on 100 columns.
#[test]
fn ordinary_names_fit_100_columns() {
    for exhibit in [
        "selecting::mixed",
        "epoll::registrations",
        "events::timer_periodic",
        "pipes::pipe",
        "processes::pidfd",
        "events::signals",
        "memory::memfd",
        "rest::io_uring",
        "unix::stream",
        "inet::tcp",
        "files::flock",
    ] {
        let helper = Helper::start(exhibit);
        for line in helper.list("").ok().lines() {
            assert!(line.chars().count() <= 100, "{exhibit}: {} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn json_lines_are_the_records_of_json() {
    let helper = Helper::start("pipes::pipe");
    let lines: Vec<Value> = helper
        .list("--fd 3- --jsonl")
        .ok()
        .lines()
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines, helper.list("--fd 3-").records());
    let same = helper.list("--fd 3- --format jsonl").ok().stdout();
    helper.list("--fd 3- --jsonl").ok().prints(&same);
}

#[test]
fn a_record_of_json() {
    let expected = "{\n  \"schema\": 1,\n  \"command\": \"list\",\n  \"records\": [\n    \
        {\"pid\":77,\"fd\":3,\"kind\":\"eventfd\",\"eventfd\":{\"id\":9,\"count\":2}}\n  ],\n  \
        \"complete\": true,\n  \"denied\": 0,\n  \"vanished\": 0,\n  \"timed_out\": 0\n}\n";
    // Chosen fields come in the order in which they were chosen, an object where its first stands.
    let run =
        fake().fdscope("list 77:3 --json --columns pid,fd,kind,eventfd.id,tcp.state,eventfd.count").ok();
    run.prints(expected);
    let empty = fake().fdscope("list 77:9 --json").run();
    assert_eq!(empty.check(1, "").json()["records"], json!([]));
}

#[test]
fn tsv() {
    let fake = fake();
    let run = fake.fdscope("list 77:3 --format tsv --columns fd,flags,tcp.state,eventfd.count,name").ok();
    run.prints("fd\tflags\ttcp.state\teventfd.count\tname\n3\tnonblock,cloexec\t\t2\tcount 2, id 9\n");
    assert_eq!(in_order(&fake, "--format tsv --no-header --columns fd,kind"), "3\teventfd\n4\tpidfd\n");
}

/// One line a row and one tab a gap, whatever names hold.
#[test]
fn tsv_of_strange_names() {
    let helper = Helper::start("files::strange_names");
    let lines = helper.list("--format tsv --columns fd,path --fd 3- --no-header").ok().lines();
    let dir = helper.dir().display();
    let names = [
        r"two\nlines",
        r"bell\x07escape\x1b[31m",
        r"bad\xff\xfeutf8",
        r"back\\xff",
        "\u{202e}drow",
        " blanks ",
    ];
    let expected: Vec<String> =
        names.iter().zip(&helper.facts).map(|(name, fact)| format!("{}\t{dir}/{name}", fact["fd"])).collect();
    assert_eq!(lines, expected);
}

#[test]
fn columns_are_chosen_and_added() {
    let fake = fake();
    let table = |columns: &str| fake.fdscope(&format!("list 77:3 --columns {columns}")).ok().stdout();
    assert_eq!(table("fd,eventfd.count,kind"), "FD  EVENTFD.COUNT  KIND\n 3              2  eventfd\n");
    let heading: Vec<String> = table("+pos,flags").split_ascii_whitespace().map(str::to_owned).collect();
    assert_eq!(heading[..8], ["PID", "COMMAND", "FD", "MODE", "KIND", "NAME", "POS", "FLAGS"]);
    assert_eq!(table("tcp.state,fd"), "TCP.STATE  FD\n-           3\n");
    let wide = fake.fdscope("list 77:3 --wide").ok().lines();
    let heading: Vec<&str> = wide[0].split_ascii_whitespace().collect();
    let expected = "PID COMMAND USER UID FD ASSOC ACCESS KIND FLAGS POS INODE DEVICE MOUNT NAME";
    assert_eq!(heading.join(" "), expected);
    fake.fdscope("list 77 --wide --columns fd").run().check(2, "cannot be used with");
}

#[test]
fn columns_that_do_not_exist() {
    let refused = |columns: &str, told: &str| {
        fake().fdscope(&format!("list 77 --columns {columns}")).run().check(2, told).prints("");
    };
    refused("nonsense", "there is no field 'nonsense' (--columns help lists them)");
    refused("pid,knd", "there is no field 'knd'; did you mean 'kind'?");
    refused("+tcp.stat", "did you mean 'tcp.state'?");
    refused("pid,", "there is no field ''");
}

#[test]
fn columns_help() {
    let run = Fdscope::new("list --columns help").ok();
    let lines = run.lines();
    assert!(lines[0].starts_with("FIELD ") && lines[0].contains("TYPE") && lines[0].ends_with("MEANING"));
    for name in ["pid", "epoll.watched", "timerfd.remaining", "tcp.state", "error.errno"] {
        assert!(lines.iter().any(|l| l.split(' ').next() == Some(name)), "{name}");
    }
    // Every name that help lists is taken.
    let records = Fdscope::new("list --columns help --json").ok().records();
    let names: Vec<&str> = records.iter().map(|r| r["field"].as_str().unwrap()).collect();
    assert!(names.len() > 100, "{}", names.len());
    fake().fdscope(&format!("list 77 --quiet --json --columns {}", names.join(","))).ok();
}

const ESCAPE: char = '\x1b';

#[test]
fn colour() {
    let helper = Helper::start("files::deleted");
    let is_coloured = |fdscope: Fdscope| fdscope.ok().stdout().contains(ESCAPE);
    let list = |arguments: &str| helper.list(arguments);
    assert!(!is_coloured(list("")), "nobody is looking");
    assert!(is_coloured(list("--color always")));
    assert!(is_coloured(list("").env("CLICOLOR_FORCE", "1")));
    assert!(!is_coloured(list("").env("CLICOLOR_FORCE", "0")));
    assert!(!is_coloured(list("").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(!is_coloured(list("--color never").env("CLICOLOR_FORCE", "1")));
    assert!(is_coloured(list("--color always").env("NO_COLOR", "1")));
    for format in ["json", "jsonl", "tsv"] {
        assert!(!is_coloured(list(&format!("--color always --format {format}"))), "{format}");
    }
    let plain = list("--color never").ok().stdout();
    let coloured = list("--color always").ok().stdout();
    let bare = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().replace_all(&coloured, "");
    assert_eq!(bare, plain, "colour changes no text");
}

#[test]
fn on_a_terminal() {
    let fake = fake();
    let (text, status) = run_on_terminal(fake.fdscope("list 77:3").env("NO_COLOR", "1"));
    assert_eq!(status, Some(0));
    let piped = fake.fdscope("list 77:3").ok().stdout();
    assert_eq!(text.replace("\r\n", "\n"), piped, "the same table as in a pipe");
    let (text, _) = run_on_terminal(fake.fdscope("list 77:3"));
    assert!(text.contains(ESCAPE), "the heading stands out: {text:?}");
    let (text, _) = run_on_terminal(fake.fdscope("list 77:3").env("TERM", "dumb"));
    assert!(!text.contains(ESCAPE), "{text:?}");
}

/// No name of a file can move the cursor, change colours or turn text around.
#[test]
fn names_do_a_terminal_no_harm() {
    let helper = Helper::start("files::strange_names");
    let (text, status) = run_on_terminal(helper.list("--color never"));
    assert_eq!(status, Some(0));
    let harmful = |c: char| (c.is_control() && !matches!(c, '\r' | '\n')) || c == '\u{202e}';
    assert!(!text.contains(harmful), "{text:?}");
    for shown in [r"two\nlines", r"bell\x07escape\x1b[31m", r"bad\xff\xfeutf8", r"\u{202e}drow"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let rows = text.lines().count();
    assert_eq!(rows, 1 + helper.list("").records().len(), "a line a row");
    // JSON itself is harmless too, and loses nothing.
    let json = helper.list("--json").ok().stdout();
    assert!(!json.contains(|c: char| harmful(c)), "{json:?}");
}
