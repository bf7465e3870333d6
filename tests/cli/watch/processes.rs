//! Fds of a process that come, go and change, and the process's own end.

use super::puppet::{Puppet, watch};
use super::{armed, fdscope, names, note};
use crate::support::check;
use rustix::fs::{Mode, OFlags};
use serde_json::json;
use std::io::Write as _;

#[test]
fn closed() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::ALL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a");
        let mut run = watch(&puppet, "5", &format!("--with {with}"));
        puppet.run("exec 5>&-");
        check(&run.event("closed"), &json!({"pid": puppet.pid(), "fd": 5, "kind": "fifo", "reused": false}));
        // Nothing is left to watch.
        run.end().check(3, note(with));
    }
}

#[test]
fn reused() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::ALL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a");
        let mut run = watch(&puppet, "5", &format!("--with {with} -u closed"));
        puppet.run("exec 5<>b");
        check(&run.event("closed"), &json!({"fd": 5, "reused": true}));
        run.end().check(0, note(with));
    }
}

/// While somebody else still has what it closed.
#[test]
fn closed_by_one_of_two() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::ALL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a\nexec 6<&5");
        let mut run = watch(&puppet, "5", &format!("--with {with} -u closed"));
        puppet.run("exec 5>&-");
        check(&run.event("closed"), &json!({"fd": 5, "reused": false}));
        run.end().check(0, note(with));
    }
}

#[test]
fn exited() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::ALL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a");
        let mut run = watch(&puppet, "5", &format!("--with {with}"));
        puppet.end();
        check(&run.event("exited"), &json!({"pid": puppet.pid(), "fd": {"$absent": true}}));
        let run = run.end();
        let events = run.check(3, note(with)).json_lines();
        assert_eq!(names(&events).last(), Some(&"exited"));
    }
}

/// All fds, and those that come later.
#[test]
fn all() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::LEVEL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a");
        let mut run = watch(&puppet, "all", &format!("--with {with}"));
        puppet.run("exec 6<>b");
        let opened = run.record("opened 6", |e| e["event"] == "opened" && e["fd"] == 6);
        let path = puppet.dir().join("b").display().to_string();
        check(&opened, &json!({"kind": "fifo", "pid": puppet.pid(), "name": {"$holds": path}}));
        puppet.run("printf hello >&6; printf hi >&5");
        let ready = |run: &mut crate::support::Background, fd: i32| {
            run.until("ready", |all| all.iter().any(|e| e["event"] == "ready" && e["fd"] == fd));
            run.seen().into_iter().find(|e| e["event"] == "ready" && e["fd"] == fd).unwrap()
        };
        check(&ready(&mut run, 6), &json!({"readable_bytes": 5, "selector": with}));
        check(&ready(&mut run, 5), &json!({"readable_bytes": 2}));
        // Another under the same number is a new one.
        puppet.run("exec 5<>b");
        run.record("closed 5", |e| e["event"] == "closed" && e["fd"] == 5 && e["reused"] == true);
        let opened = run.record("opened 5", |e| e["event"] == "opened" && e["fd"] == 5);
        check(&opened, &json!({"name": {"$holds": path}}));
        // Nothing was consumed.
        let mut buffer = [0; 9];
        let reader = OFlags::RDONLY | OFlags::NONBLOCK;
        let reader = rustix::fs::open(puppet.dir().join("b"), reader, Mode::empty()).unwrap();
        assert_eq!(rustix::io::read(&reader, &mut buffer), Ok(5));
        assert_eq!(&buffer[..5], b"hello");
        puppet.end();
        run.event("exited");
        run.end().check(3, note(with));
    }
}

/// One goes and another comes between two looks, so that there are as many as before.
#[test]
fn one_for_another() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::LEVEL {
        let mut puppet = Puppet::new();
        puppet.run("exec 5<>a");
        let mut run = watch(&puppet, "all", &format!("--with {with}"));
        puppet.run("exec 5>&- 6<>b");
        run.until("both are told", |all| {
            let told = |event: &str, fd| all.iter().any(|e| e["event"] == event && e["fd"] == fd);
            told("closed", 5) && told("opened", 6)
        });
    }
    // The one that goes is none that can be watched.
    let mut puppet = Puppet::new();
    puppet.run("exec 5</");
    let mut run = watch(&puppet, "all", "");
    puppet.run("exec 5>&- 6<>b");
    run.record("opened 6", |e| e["event"] == "opened" && e["fd"] == 6);
}

/// By the name of the process.
#[test]
fn by_name() {
    if super::cannot_watch_others() {
        return;
    }
    let mut puppet = Puppet::new();
    let name = format!("{:x}wat", puppet.pid());
    puppet.run(&format!("printf {name} >/proc/$$/comm; exec 5<>a"));
    if std::fs::read_to_string(format!("/proc/{}/comm", puppet.pid())).unwrap().trim() != name {
        eprintln!("skipped: by_name, because the shell does not write to its own comm");
        return;
    }
    let mut run = armed(fdscope(format!("{name}:4-5 -u ready")));
    std::fs::File::options().write(true).open(puppet.dir().join("a")).unwrap().write_all(b"x").unwrap();
    let expected = json!({"target": format!("{name}:4-5"), "pid": puppet.pid(), "command": name, "fd": 5});
    check(&run.event("ready"), &expected);
    run.end().check(0, "");
}

/// Two processes: that one ends is told, and the other is watched on.
#[test]
fn two() {
    if super::cannot_watch_others() {
        return;
    }
    let (mut one, mut other) = (Puppet::new(), Puppet::new());
    one.run("exec 5<>a");
    other.run("exec 6<>a");
    let mut run = armed(fdscope(format!("{}:5 {}:6", one.pid(), other.pid())));
    one.end();
    check(&run.event("exited"), &json!({"pid": one.pid(), "target": format!("{}:5", one.pid())}));
    other.run("printf x >&6");
    check(&run.event("ready"), &json!({"pid": other.pid(), "fd": 6, "readable_bytes": 1}));
    other.end();
    check(&run.event("exited"), &json!({"pid": other.pid()}));
    run.end().check(3, "");
}
