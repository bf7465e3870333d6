//! `fdscope limits`.

use crate::support::{Fdscope, Helper, NOBODY, Run, capable, difference, numbers, run_as, sorted};
use nix::sys::resource::{Resource, getrlimit};
use serde_json::{Value, json};

/// `CAP_SYS_RESOURCE`: hard limits may be raised, and those of others set.
const SYS_RESOURCE: u32 = 24;

/// A helper with some limits of its own: `prlimit(1)` runs it.
fn limited() -> Helper {
    Helper::start_with("pipes::pipe", |command| {
        crate::support::limit(command, libc::RLIMIT_NOFILE, 64, 128);
        crate::support::limit(command, libc::RLIMIT_CORE, 4096, 8192);
        crate::support::limit(command, libc::RLIMIT_CPU, 1000, libc::RLIM_INFINITY);
    })
}

fn limit<'r>(records: &'r [Value], name: &str) -> &'r Value {
    records.iter().find(|r| r["limit"] == name).unwrap_or_else(|| panic!("no limit {name}"))
}

#[test]
fn of_a_process() {
    let helper = limited();
    let document = Fdscope::new(format!("limits {} --json", helper.pid())).ok().json();
    let head = json!({
        "schema": 1, "command": "limits", "complete": true, "denied": 0, "vanished": 0, "timed_out": 0,
    });
    assert_eq!(difference(&head, Some(&document)), Vec::<String>::new());
    let records = document["records"].as_array().unwrap();
    let used = numbers(helper.pid()).len();
    let percent = (used as f64 / 64.0 * 1000.0).round() / 10.0;
    let nofile = json!({
        "pid": helper.pid(), "command": "helper", "limit": "nofile", "soft": 64, "hard": 128, "unit": "fds",
        "used": used, "percent": percent,
    });
    assert_eq!(records[0], nofile, "nofile is the first, with these keys and no others");
    let check = |name, expected: Value| {
        assert_eq!(difference(&expected, Some(limit(records, name))), Vec::<String>::new());
    };
    check("core", json!({"soft": 4096, "hard": 8192, "unit": "bytes", "used": null, "percent": null}));
    check("cpu", json!({"soft": 1000, "unit": "seconds", "used": {"$between": [0, 100]}}));
    check("as", json!({"unit": "bytes", "used": {"$between": [1 << 20, 1u64 << 45]}}));
    check("stack", json!({"used": {"$between": [4096, 1 << 30]}}));
    check("nproc", json!({"unit": "threads", "used": {"$between": [2, 1e7]}}));
    check("memlock", json!({"used": 0, "percent": 0.0}));
    check("nice", json!({"unit": "priority"}));
    let names = sorted(records.iter().map(|r| r["limit"].as_str().unwrap()));
    let expected = [
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_limit_is_what_the_kernel_says() {
    let records = Fdscope::new("limits self").records();
    for (name, resource) in [
        ("as", Resource::RLIMIT_AS),
        ("core", Resource::RLIMIT_CORE),
        ("cpu", Resource::RLIMIT_CPU),
        ("data", Resource::RLIMIT_DATA),
        ("fsize", Resource::RLIMIT_FSIZE),
        ("locks", Resource::RLIMIT_LOCKS),
        ("memlock", Resource::RLIMIT_MEMLOCK),
        ("msgqueue", Resource::RLIMIT_MSGQUEUE),
        ("nice", Resource::RLIMIT_NICE),
        ("nofile", Resource::RLIMIT_NOFILE),
        ("nproc", Resource::RLIMIT_NPROC),
        ("rss", Resource::RLIMIT_RSS),
        ("rtprio", Resource::RLIMIT_RTPRIO),
        ("rttime", Resource::RLIMIT_RTTIME),
        ("sigpending", Resource::RLIMIT_SIGPENDING),
        ("stack", Resource::RLIMIT_STACK),
    ] {
        let (soft, hard) = getrlimit(resource).unwrap();
        let value = |n| if n == libc::RLIM_INFINITY { Value::Null } else { json!(n) };
        let record = limit(&records, name);
        assert_eq!((&record["soft"], &record["hard"]), (&value(soft), &value(hard)), "{name}");
    }
    // Without a target: what fdscope itself was given.
    assert_eq!(Fdscope::new("limits").records()[0]["hard"], records[0]["hard"]);
}

#[test]
fn tables_and_columns() {
    let helper = limited();
    let lines = Fdscope::new(format!("limits {}", helper.pid())).ok().lines();
    assert_eq!(lines[0].split_ascii_whitespace().next(), Some("LIMIT"));
    let words: Vec<&str> = lines[1].split_ascii_whitespace().collect();
    assert_eq!(words[..3], ["nofile", "64", "128"]);
    assert!(
        lines.iter().any(|l| l.starts_with("core ") && l.contains(" 4K ") && l.contains(" 8K ")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|l| l.starts_with("cpu ") && l.contains("unlimited")), "{lines:?}");
    let run = Fdscope::new(format!("limits {} --columns soft,limit --format tsv", helper.pid())).ok();
    assert_eq!(run.lines()[..2], ["soft\tlimit", "64\tnofile"]);
    assert!(run.lines().contains(&"1000\tcpu".to_owned()));
    Fdscope::new("limits --columns sofd").run().check(2, "did you mean 'soft'?");
    Fdscope::new("limits self:3").run().check(2, "limits are of processes");
}

fn by_pid(run: &Run, pid: u32) -> Value {
    let records = run.records();
    records.into_iter().find(|r| r["pid"] == pid).unwrap_or_else(|| run.fail("the process is not there"))
}

#[test]
fn of_all_processes() {
    let helper = limited();
    let run = Fdscope::new("limits --all --json").ok();
    let used = numbers(helper.pid()).len();
    let expected = json!({"limit": "nofile", "soft": 64, "hard": 128, "used": used});
    assert_eq!(difference(&expected, Some(&by_pid(&run, helper.pid()))), Vec::<String>::new());
    let records = run.records();
    assert!(records.iter().all(|r| r["limit"] == "nofile"));
    let share = |r: &Value| r["used"].as_f64().unwrap_or(-1.0) / r["soft"].as_f64().unwrap_or(1.0).max(1.0);
    assert!(records.iter().map(share).is_sorted_by(|a, b| a >= b), "the nearest to its limit is first");

    let top = Fdscope::new("limits --all --json --top 2 --sort used").ok().records();
    assert_eq!(top.len(), 2);
    assert!(top[0]["used"].as_u64() >= top[1]["used"].as_u64());
    let pids = Fdscope::new("limits --all --sort pid --columns pid --no-header --format tsv").ok().lines();
    assert!(pids.iter().map(|p| p.parse::<i32>().unwrap()).is_sorted());
    let soft = Fdscope::new("limits --all --sort soft").records();
    assert!(soft.iter().map(|r| r["soft"].as_u64().unwrap_or(u64::MAX)).is_sorted());
    let commands = Fdscope::new("limits --all --sort command").records();
    assert!(commands.iter().map(|r| r["command"].as_str().unwrap()).is_sorted());
}

#[test]
fn named_twice_is_shown_once() {
    let helper = limited();
    let pid = helper.pid();
    let once = Fdscope::new(format!("limits {pid}")).records();
    let twice = Fdscope::new(format!("limits {pid} {pid}")).records();
    let all = |records: &[Value]| records.iter().map(|r| r["limit"].clone()).collect::<Vec<_>>();
    assert_eq!(all(&once), all(&twice));
    let by_name = Fdscope::new(format!("limits {pid} helper --columns pid,limit")).records();
    assert_eq!(by_name.iter().filter(|r| r["pid"] == pid && r["limit"] == "nofile").count(), 1);
    let set = Fdscope::new(format!("limits {pid} {pid} --set nofile=60")).records();
    assert_eq!((set.len(), &set[0]["old_soft"], &set[0]["soft"]), (1, &json!(64), &json!(60)));
}

/// What fdscope itself may not open is not taken for what it may not read.
#[test]
fn short_of_fds_of_its_own() {
    let run = |soft, hard, arguments: &str| {
        let words = Fdscope::new(arguments);
        words.with(|c| crate::support::limit(c, libc::RLIMIT_NOFILE, soft, hard)).run()
    };
    // It takes what it may.
    for arguments in ["list --count --quiet", "limits --all", "list --shared --quiet"] {
        let run = run(4, 4096, arguments);
        assert!(!run.stderr().contains("EMFILE"), "{arguments}: {}", run.stderr());
        run.check(0, "");
    }
    let helper = limited();
    for command in ["list --pids", "limits --all", "list --pids -k tcp"] {
        let run = run(4, 4, command);
        run.check(3, "could not be read: too many open files (EMFILE)\n");
        run.check(3, "fdscope: fdscope itself may have only 4 fds open (RLIMIT_NOFILE)");
        assert!(!run.stderr().contains("permission"), "{}", run.stderr());
    }
    let document = run(4, 4, "list --json --quiet").check(3, "too many open files (EMFILE)").json();
    assert_eq!(document["complete"], false);
    assert_ne!(document["denied"], 0);
    run(4, 4, &format!("list {}", helper.pid())).check(3, "cannot be read: ");
}

/// The count of another user's fds needs no privilege.
#[test]
fn of_all_processes_without_privilege() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: another user's view, because only root can take it");
        return;
    }
    let helper = limited();
    let run = Fdscope::new("limits --all --json").with(|c| run_as(c, NOBODY)).ok();
    let used = numbers(helper.pid()).len();
    let expected = json!({"soft": 64, "hard": 128, "used": used});
    assert_eq!(difference(&expected, Some(&by_pid(&run, helper.pid()))), Vec::<String>::new());
    assert_eq!(run.json()["complete"], true);
    let run = Fdscope::new(format!("limits {} --json", helper.pid())).with(|c| run_as(c, NOBODY)).ok();
    assert_eq!(difference(&expected, Some(&by_pid(&run, helper.pid()))), Vec::<String>::new());
}

#[test]
fn fail_above() {
    let helper = limited();
    let fails = |percent: &str, status: i32| {
        let run = Fdscope::new(format!("limits {} --fail-above {percent} --json", helper.pid())).run();
        assert_eq!(run.check(status, "").records()[0]["soft"], 64, "the rows are shown all the same");
    };
    let used = numbers(helper.pid()).len() as f64 / 64.0 * 100.0;
    fails("1%", 1);
    fails("99%", 0);
    fails("99", 0);
    fails(&format!("{}%", (used + 0.2).min(100.0)), 0);
    fails(&format!("{}", used - 0.2), 1);
    Fdscope::new("limits --all --fail-above 0 --quiet").run().check(1, "");
    Fdscope::new("limits self --fail-above 101%").run().check(2, "a percentage is a number from 0 to 100");
    Fdscope::new("limits self --fail-above much").run().check(2, "a percentage");
}

#[test]
fn setting() {
    let helper = limited();
    let set = |what: &str| Fdscope::new(format!("limits {} --set {what}", helper.pid())).run();
    let now = |name: &str| {
        let records = Fdscope::new(format!("limits {}", helper.pid())).records();
        let record = limit(&records, name);
        (record["soft"].clone(), record["hard"].clone())
    };
    let done = |what: &str, limit: &str, old: [Value; 2], new: [Value; 2]| {
        let record = json!({
            "pid": helper.pid(), "command": "helper", "limit": limit, "old_soft": old[0], "old_hard": old[1],
            "soft": new[0], "hard": new[1],
        });
        assert_eq!(set(&format!("{what} --json")).check(0, "").records(), [record], "{what}");
    };
    let pair = |soft: u64, hard: u64| [json!(soft), json!(hard)];
    done("nofile=100", "nofile", pair(64, 128), pair(100, 128));
    assert_eq!(now("nofile"), (json!(100), json!(128)), "the hard limit stays");
    done("nofile=32:120", "nofile", pair(100, 128), pair(32, 120));
    assert_eq!(now("nofile"), (json!(32), json!(120)));
    done("cpu=unlimited", "cpu", [json!(1000), Value::Null], [Value::Null, Value::Null]);
    done("core=8K", "core", pair(4096, 8192), pair(8192, 8192));
    let lines = set("core=0").check(0, "").lines();
    let words: Vec<&str> = lines[1].split_ascii_whitespace().skip(1).collect();
    assert_eq!(words, ["helper", "core", "8K", "8K", "0", "8K"], "{lines:?}");
    let told = "soft nofile limit 200 is above the hard limit 120; give both, as nofile=SOFT:HARD";
    set("nofile=200").check(3, told).prints("");
    set("nofile=5:3").check(2, "is above its hard limit").prints("");
    set("nofil=5").check(2, "did you mean 'nofile'?").prints("");
    set("nofile=many").check(2, "neither a whole number nor 'unlimited'").prints("");
    set("nofile").check(2, "a setting is LIMIT=SOFT").prints("");
    assert_eq!(now("nofile"), (json!(32), json!(120)), "nothing of it changed anything");
    Fdscope::new("limits --set nofile=5").run().check(2, "required");
    if capable(SYS_RESOURCE) {
        eprintln!("skipped: raising a hard limit in vain, because we may");
    } else {
        set("nofile=200:200").check(3, "nofile stays 32:120: raising a hard limit takes CAP_SYS_RESOURCE");
        assert_eq!(now("nofile"), (json!(32), json!(120)));
    }
}

#[test]
fn setting_what_belongs_to_another() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: another user's process, because only root can become another user");
        return;
    }
    let helper = limited();
    let run =
        Fdscope::new(format!("limits {} --set nofile=10", helper.pid())).with(|c| run_as(c, NOBODY)).run();
    run.check(3, "nofile stays 64:128: another user's process takes CAP_SYS_RESOURCE").prints("");
    assert_eq!(Fdscope::new(format!("limits {}", helper.pid())).records()[0]["soft"], 64);
}

#[test]
fn of_the_system() {
    let run = Fdscope::new("limits --system --json --quiet").ok();
    let records = run.records();
    let find = |name: &str| {
        records.iter().find(|r| r["setting"] == name).unwrap_or_else(|| run.fail(&format!("no {name}")))
    };
    for (name, file) in [
        ("fs.file-max", "fs/file-max"),
        ("fs.nr_open", "fs/nr_open"),
        ("net.core.somaxconn", "net/core/somaxconn"),
        ("net.ipv4.tcp_max_syn_backlog", "net/ipv4/tcp_max_syn_backlog"),
        ("net.ipv4.tcp_syncookies", "net/ipv4/tcp_syncookies"),
        ("net.ipv4.tcp_abort_on_overflow", "net/ipv4/tcp_abort_on_overflow"),
        ("fs.inotify.max_user_instances", "fs/inotify/max_user_instances"),
        ("fs.inotify.max_user_watches", "fs/inotify/max_user_watches"),
        ("fs.epoll.max_user_watches", "fs/epoll/max_user_watches"),
        ("fs.pipe-max-size", "fs/pipe-max-size"),
        ("fs.pipe-user-pages-soft", "fs/pipe-user-pages-soft"),
        ("kernel.pid_max", "kernel/pid_max"),
        ("kernel.threads-max", "kernel/threads-max"),
    ] {
        let text = std::fs::read_to_string(format!("/proc/sys/{file}")).expect(name);
        assert_eq!(find(name)["value"].to_string(), text.trim(), "{name}");
        assert!(!find(name)["meaning"].as_str().unwrap().is_empty());
    }
    assert!(find("fs.file-max")["used"].as_u64() > Some(0));
    assert!(find("kernel.pid_max")["used"].as_u64() > Some(0));
    assert_eq!(find("_POSIX_OPEN_MAX")["value"], 20);
    assert_eq!(find("FD_SETSIZE")["value"], 1024);
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert_eq!(find("OPEN_MAX")["value"], soft);
    Fdscope::new("limits --system 1").run().check(2, "cannot be used with");
}

/// What a user has of inotify and epoll is added up over their processes.
#[test]
fn use_by_user() {
    let (epoll, inotify) = (Helper::start("epoll::registrations"), Helper::start("watches::inotify"));
    let run = Fdscope::new("limits --system --json --quiet").ok();
    let uid = rustix::process::geteuid().as_raw();
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten().map_or(uid.to_string(), |u| u.name);
    let used = |name: &str| {
        let records = run.records();
        records.iter().find(|r| r["setting"] == name && r["user"] == user).and_then(|r| r["used"].as_u64())
    };
    assert!(used("fs.epoll.max_user_watches") >= Some(4), "{epoll}", epoll = epoll.pid());
    if !inotify.was_skipped() {
        assert!(used("fs.inotify.max_user_watches") >= Some(2));
        assert!(used("fs.inotify.max_user_instances") >= Some(1));
    }
}
