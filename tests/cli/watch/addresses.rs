//! Connections to a host that has several addresses: all are tried, and what became of the last is told.

use super::{fdscope, names, watch};
use crate::support::{Fdscope, in_own_network};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::net::listen;
use std::os::fd::OwnedFd;

/// Two addresses of a host, as this thread alone knows it: nobody listens at the first, and there is no way
/// to the second, which is known at once.
fn in_such_a_network(test: impl FnOnce(OwnedFd, String) + Send) {
    in_own_network(|| {
        if let Err(e) = name_it() {
            eprintln!("skipped: a host with two addresses, because it cannot be given a name: {e}");
            return;
        }
        let (deaf, address) = super::connecting::deaf();
        test(deaf, format!("tcp:two.test:{}", address.port()));
    });
}

fn name_it() -> std::io::Result<()> {
    let hosts = tempfile::NamedTempFile::new()?;
    std::fs::write(hosts.path(), "127.0.0.1 two.test\n192.0.2.1 two.test\n")?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    Ok(mount(Some(hosts.path()), "/etc/hosts", none, MsFlags::MS_BIND, none)?)
}

#[test]
fn each_is_told() {
    in_such_a_network(|_deaf, target| {
        for (arguments, status) in [("", 0), ("-u ready", 1), ("-n 2", 0)] {
            let run = fdscope(format!("{target} {arguments}")).run();
            let events = run.check(status, "").json_lines();
            assert_eq!(names(&events)[..3], ["armed", "error", "error"]);
            assert_eq!(events[1]["socket_error"], "ECONNREFUSED");
            assert_eq!(events[2]["socket_error"], "ENETUNREACH");
        }
    });
}

/// Nothing can be read from any of them: that is a failure, and the last one says why.
#[test]
fn nothing_is_drained() {
    in_such_a_network(|_deaf, target| {
        let run = Fdscope::new(format!("watch {target} --drain")).run();
        run.check(3, &format!("fdscope: {target}: network is unreachable (ENETUNREACH)\n"));
        assert_eq!(run.stderr().lines().count(), 1);
    });
}

/// Again and again all of them, until somebody listens.
#[test]
fn retry() {
    in_such_a_network(|deaf, target| {
        let mut run = watch(format!("{target} --retry 5ms -u ready"));
        for _ in 0..2 {
            for error in ["ECONNREFUSED", "ENETUNREACH"] {
                assert_eq!(run.event("error")["socket_error"], error);
            }
        }
        listen(&deaf, 8).unwrap();
        run.event("ready");
        run.end().check(0, "");
    });
}
