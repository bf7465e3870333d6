//! What `RLIMIT_NOFILE` forbids.

use super::bench;
use crate::support::{Fdscope, Run, limit};
use std::process::Command;

fn with_limit(arguments: &str, soft: u64, hard: u64) -> Fdscope {
    let few = |command: &mut Command| limit(command, libc::RLIMIT_NOFILE, soft, hard);
    bench(format!("--selector select,epoll-level --runs 1 --active 1 {arguments}")).with(few)
}

fn fds(run: &Run) -> Vec<u64> {
    let document = run.json();
    let records = document["records"].as_array().unwrap();
    records.iter().map(|record| record["fds"].as_u64().unwrap()).collect()
}

/// The soft limit is no obstacle.
#[test]
fn the_soft_limit_is_raised() {
    let run = with_limit("--fds 200 --json", 64, 400).run();
    assert_eq!(fds(run.check(0, "")), [200, 200]);
}

/// The hard one is, and it is said which command raises it. What was named and was not measured is an
/// error, and the rest is shown.
#[test]
fn the_hard_limit_is_told_of() {
    let run = with_limit("--fds 20,200 --kind pipe --json", 64, 300).run();
    run.check(3, "200 fds of kind pipe are not measured: they take ");
    run.check(3, " in all, and the hard nofile limit is 300; as root, 'prlimit --pid $$ --nofile=");
    assert_eq!(fds(&run), [20, 20]);
    let document = run.json();
    assert_eq!((&document["complete"], &document["denied"]), (&false.into(), &2.into()));
    // An eventfd takes one.
    let run = with_limit("--fds 20,200 --json", 64, 300).run();
    assert_eq!(fds(run.check(0, "")), [20, 20, 200, 200]);
}

/// What was not asked for by number may be left out, but not in silence.
#[test]
fn the_usual_numbers_are_as_many_as_there_can_be() {
    let run = with_limit("--json", 64, 300).run();
    run.check(0, "1000 fds of kind eventfd are not measured: they take 10");
    run.check(0, "10000 fds of kind eventfd are not measured: they take 100");
    assert_eq!(fds(&run), [10, 10, 100, 100]);
    let run = with_limit("--fds 100000000", 64, 300).run();
    run.check(3, "as root, 'sysctl fs.nr_open=100").prints("");
}

/// select is measured where programs cannot use it, which is said.
#[test]
fn select_beyond_what_the_c_library_takes() {
    let run = with_limit("--fds 1100 --json", 64, 1200).run();
    if run.stderr().contains("are not measured") {
        return eprintln!("skipped: more than 1024 fds, because the limit here is lower");
    }
    run.check(0, "select was measured by its system call; with the fd_set of the C library it takes no fd of 1024 or above");
    with_limit("--fds 1100 --quiet", 64, 1200).run().check(0, "");
}
