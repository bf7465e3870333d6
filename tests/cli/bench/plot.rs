//! Pictures, on a terminal and as SVG.

use super::bench;
use crate::support::{Fdscope, limit};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The texts of an SVG, which must be well-formed: every tag that is opened is closed, in order.
fn texts(svg: &str) -> Vec<String> {
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        if open.last() == Some(&"text") {
            texts.push(rest[..start].trim().to_owned());
        }
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') && !tag.starts_with(['?', '!']) {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    texts.retain(|text| !text.is_empty());
    texts
}

fn svg(path: &Path, arguments: &str) -> String {
    let run = bench(format!("--quiet --runs 2 --json {arguments} --plot")).arg(path).run();
    run.check(0, "");
    let svg = fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
    svg
}

#[test]
fn a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.svg");
    // What was there goes away, however long it was.
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    let told = texts(&svg(&path, "--fds 10,100 --active 1,5"));
    for text in [
        "Time for an event, 1 of the fds active at a time (kind eventfd)",
        "Time for an event, 5 of the fds active at a time (kind eventfd)",
        "select",
        "poll",
        "epoll level",
        "epoll edge",
        "epoll oneshot",
        "mio",
        "10",
        "100",
        "fds (bars: from the least to the most of all runs)",
    ] {
        assert!(told.iter().any(|other| other == text), "no {text:?} in {told:?}");
    }
    let told = texts(&svg(&path, "--fds 10 --active 1,5 --selector poll"));
    assert!(told.contains(&"Time for an event, with 10 fds (kind eventfd)".to_owned()), "{told:?}");
    assert!(!told.contains(&"select".to_owned()), "{told:?}");
}

/// One figure is no curve, and what was drawn before stays.
#[test]
fn nothing_to_draw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.svg");
    fs::write(&path, "before").unwrap();
    let run = Fdscope::new("bench --for 1h --fds 10 --active 1 --plot").arg(&path).run();
    run.check(2, "fdscope: --plot draws curves, which take several numbers of --fds or of --active")
        .prints("");
    let few = |command: &mut Command| limit(command, libc::RLIMIT_NOFILE, 64, 64);
    let run = bench("--runs 1 --fds 10,100 --active 1 --json --plot").arg(&path).with(few).run();
    run.check(3, "fdscope: nothing is drawn, since too little was measured for a curve\n");
    assert!(!run.records().is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
}

/// Whether anybody reads the table is nothing to the file.
#[test]
fn a_file_and_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.svg");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    bench("--quiet --runs 1 --fds 2,3 --plot").arg(&path).stdout(writer).run().check(0, "");
    assert!(!texts(&fs::read_to_string(&path).unwrap()).is_empty());
}

/// Below the table.
#[test]
fn in_characters() {
    let run = bench("--quiet --runs 1 --fds 10,100 --active 1 --selector select,poll")
        .env("LC_ALL", "C.UTF-8")
        .ok();
    let text = run.stdout();
    let (table, picture) = text.split_once("\n\n").unwrap_or_else(|| run.fail("no picture"));
    assert_eq!(table.lines().count(), 5);
    let lines: Vec<&str> = picture.lines().collect();
    assert_eq!(lines[0], "Time for an event, 1 of the fds active at a time (kind eventfd)");
    assert!(
        lines.iter().any(|line| line.ends_with(" select"))
            && lines.iter().any(|line| line.ends_with(" poll"))
    );
    assert!(lines.last().unwrap().ends_with("100 fds"), "{picture}");
    assert!(picture.contains(|c: char| ('\u{2801}'..='\u{28ff}').contains(&c)), "{picture}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{picture}");
    // Without UTF-8, and in colour.
    let run = bench("--quiet --runs 1 --fds 10,100 --active 1 --selector poll --color always")
        .env("LC_ALL", "C")
        .ok();
    let text = run.stdout();
    assert!(text.contains("\u{1b}[31m*") && text.contains("+--"), "{text}");
    // Nothing grows here.
    let run = bench("--quiet --runs 1 --fds 10 --active 1").ok();
    assert_eq!(run.lines().len(), 7);
}
