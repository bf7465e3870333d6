//! What makes no sense, and files that cannot be written: said before anything is measured.

use super::bench;
use crate::support::Fdscope;

#[test]
fn nonsense() {
    for arguments in [
        "--fds 0",
        "--fds x",
        "--fds -1",
        "--fds 10,",
        "--fds 99999999999",
        "--active 0",
        "--runs 0",
        "--for 0",
        "--for x",
        "--kind file",
        "--selector kqueue",
        "--selector epoll,",
        "operand",
    ] {
        let run = Fdscope::new(format!("bench {arguments}")).run();
        run.check(2, "error: ").prints("");
    }
    let run = Fdscope::new("bench --kind tty").run();
    run.check(2, "[possible values: pipe, socketpair, eventfd]").prints("");
}

#[test]
fn more_active_ones_than_there_are() {
    let run = bench("--fds 10,20 --active 1,21").run();
    run.check(2, "fdscope: --active 21 is more than there are fds: --fds is 20 at most").prints("");
    // Those that fit are measured, also of the usual ones.
    let records = bench("--quiet --fds 10 --selector poll --runs 1").records();
    assert_eq!((records.len(), &records[0]["active"]), (1, &1.into()));
    let records = bench("--quiet --fds 10,20 --active 20 --selector poll --runs 1").records();
    assert_eq!(records.len(), 1);
}

/// Long enough for the test to be killed, if it did measure first.
#[test]
fn a_plot_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let plot = |path: &str| Fdscope::new("bench --for 1h --plot").arg(folder.path().join(path)).run();
    plot("none/x.svg").check(2, "none/x.svg: No such file or directory").prints("");
    std::fs::create_dir(folder.path().join("folder.svg")).unwrap();
    plot("folder.svg").check(2, "folder.svg: Is a directory").prints("");
    plot("x.png").check(2, "ends in .png: give it a name that ends in .svg").prints("");
    assert!(!folder.path().join("x.png").exists());
    Fdscope::new("bench --for 1h --fds 1 --active 2 --plot")
        .arg(folder.path().join("x.svg"))
        .run()
        .check(2, "--active 2");
    assert!(!folder.path().join("x.svg").exists(), "what holds nothing is not left behind");
}

#[test]
fn a_full_disk() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for format in ["table", "json", "jsonl", "tsv"] {
        let run =
            bench(format!("--quiet --fds 2 --active 1 --runs 1 --format {format}")).stdout(full()).run();
        run.check(2, "fdscope: cannot write the output: No space left on device");
    }
    let run = bench("--quiet --fds 2,3 --active 1 --runs 1 --plot /dev/full").run();
    run.check(2, "fdscope: cannot write the plot to /dev/full: No space left on device");
    assert!(run.stdout().contains("NS_PER_EVENT"), "the table is there all the same");
}

#[test]
fn nobody_reads() {
    for format in ["table", "json", "jsonl", "tsv"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run =
            bench(format!("--quiet --fds 2 --active 1 --runs 1 --format {format}")).stdout(writer).run();
        run.check(0, "");
    }
}
