//! Imports go one way, and unsafe code stays in `src/sys`: see the map in `src/lib.rs`.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may use beside itself. `*` is all.
const RULES: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("lib", &["cli", "exit"]),
    ("cli", &["commands", "context", "error", "render"]),
    (
        "commands",
        &[
            "context", "error", "kind", "listener", "load", "model", "proc", "query", "render", "selector",
            "sock", "sys", "watch",
        ],
    ),
    ("context", &["cli", "error", "model", "proc", "render", "sys"]),
    ("error", &[]),
    ("exit", &["error", "model", "sys"]),
    ("kind", &["model"]),
    ("listener", &["model", "sys"]),
    ("load", &[]),
    ("model", &[]),
    ("proc", &["kind", "model", "sock", "sys"]),
    ("query", &["model"]),
    ("render", &["model"]),
    ("selector", &["model", "sys"]),
    ("sock", &["kind", "model", "sys"]),
    ("sys", &["model"]),
    ("watch", &["model", "selector"]),
];

/// A file of `src`: the room it is in, and its code without tests and comments.
struct Source {
    path: PathBuf,
    room: String,
    /// How many modules below the crate it is.
    depth: usize,
    code: String,
}

#[test]
fn imports_go_one_way() {
    let import = Regex::new(r"\bcrate::(\w+)").unwrap();
    let group = Regex::new(r"\bcrate::\{").unwrap();
    let up = Regex::new(r"\b(super::)+").unwrap();
    let mut wrong = BTreeSet::new();
    for source in sources() {
        let path = source.path.display();
        let Some((_, may)) = RULES.iter().find(|(room, _)| *room == source.room) else {
            panic!("{path}: there is no rule for the room {}", source.room);
        };
        assert!(!group.is_match(&source.code), "{path}: name each room in a `use` of its own");
        let ups = up.find_iter(&source.code).map(|m| m.as_str().matches("super").count());
        assert!(ups.max() < Some(source.depth), "{path}: write crate:: to leave a room");
        for used in import.captures_iter(&source.code).map(|c| c[1].to_owned()) {
            if used != source.room && !may.contains(&used.as_str()) {
                wrong.insert(format!("{path}: {} may not use {used}", source.room));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_has_a_rule_and_every_rule_a_room() {
    let rooms: BTreeSet<String> = sources().into_iter().map(|s| s.room).collect();
    let ruled: BTreeSet<String> = RULES.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, ruled);
}

#[test]
fn unsafe_code_stays_in_sys() {
    let word = Regex::new(r"\bunsafe\b|\bunsafe_code\b").unwrap();
    for source in sources().into_iter().filter(|s| s.room != "sys") {
        assert!(!word.is_match(&source.code), "{}: unsafe code outside src/sys", source.path.display());
    }
}

#[test]
fn kinds_and_plain_data_do_no_io() {
    let io =
        Regex::new(r"\bstd::(fs|net::Tcp\w*|net::Udp\w*|process|os::unix::net)\b|\brustix::(fs|io|net)\b")
            .unwrap();
    for source in sources().into_iter().filter(|s| ["kind", "model"].contains(&s.room.as_str())) {
        if let Some(found) = io.find(&source.code) {
            panic!("{}: {} in a room that does no I/O", source.path.display(), found.as_str());
        }
    }
}

#[test]
fn the_program_is_thin() {
    let main = sources().into_iter().find(|s| s.room == "main").unwrap();
    assert!(main.code.lines().count() < 30);
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&src, &src, &mut sources);
    sources
}

fn collect(src: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(src, &path, sources);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let below = path.strip_prefix(src).unwrap();
            let depth = below.components().count() - usize::from(below.ends_with("mod.rs"));
            let room = Path::new(below.components().next().unwrap().as_os_str())
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let code = code(&fs::read_to_string(&path).unwrap());
            sources.push(Source { path, room, depth, code });
        }
    }
}

/// The code without comments, and without what is compiled for tests alone: an item below
/// `#[cfg(test)]` ends at the first line that is indented no deeper and ends it. `rustfmt` sees to
/// it that this can be told by lines.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let indent = line.len() - line.trim_start().len();
            let ends = |l: &&str| {
                l.len() - l.trim_start().len() == indent && (l.trim_end().ends_with(';') || l.trim() == "}")
            };
            lines.find(ends);
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

#[test]
fn what_counts_as_code() {
    let text = "//! crate::x\nuse crate::a;\n#[cfg(test)]\nmod testing;\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\nfn f() {}\n";
    assert_eq!(code(text), "use crate::a;\nfn f() {}\n");
}
