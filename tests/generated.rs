//! `man/` and `completions/` are what the definition of the command line gives, file by file and
//! byte for byte. `FDSCOPE_UPDATE=1 cargo test --test generated` writes them anew.

mod support;

use clap_complete::{Generator, Shell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn man_pages() {
    let mut command = fdscope::cli::command();
    command.build();
    let root = command.get_name().to_owned();
    let mut files = Files::new();
    let mut add = |name: &str, command: &clap::Command| {
        let of = |m: &fdscope::commands::Manual| {
            m.command == command.get_name() || m.command.is_empty() && name == root
        };
        let manual = fdscope::commands::manuals().into_iter().find(of);
        let manual = manual.unwrap_or_else(|| panic!("{name} has no manual"));
        let page = support::man::page(name, command, &manual.sections);
        files.insert(format!("{name}.1"), page.into_bytes());
    };
    add(&root, &command);
    for sub in command.get_subcommands() {
        add(&format!("{root}-{}", sub.get_name()), sub);
    }
    for guide in fdscope::commands::guides() {
        let name = format!("{root}-{}", guide.name);
        files.insert(format!("{name}.7"), support::man::guide(&name, &guide).into_bytes());
    }
    compare("man", &files);
}

#[test]
fn completions() {
    let mut files = Files::new();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
        files.insert(shell.file_name("fdscope"), completion(shell));
    }
    let nushell = clap_complete_nushell::Nushell;
    files.insert(nushell.file_name("fdscope"), completion(nushell));
    compare("completions", &files);
}

fn completion(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut fdscope::cli::command(), "fdscope", &mut script);
    script
}

/// Compares a folder with what it should hold, or writes it.
fn compare(folder: &str, expected: &Files) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("FDSCOPE_UPDATE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for name in present(&folder).keys().filter(|n| !expected.contains_key(*n)) {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, content) in expected {
            fs::write(folder.join(name), content).unwrap();
        }
    }
    let present = present(&folder);
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    let hint = "FDSCOPE_UPDATE=1 cargo test --test generated writes what it should be";
    assert_eq!(names(&present), names(expected), "the files in {}; {hint}", folder.display());
    for (name, content) in expected {
        let path = folder.join(name);
        if let Some(difference) = difference(&present[name], content) {
            panic!("{} is not what the code gives; {hint}\n{difference}", path.display());
        }
    }
}

fn present(folder: &PathBuf) -> Files {
    let Ok(entries) = fs::read_dir(folder) else { return Files::new() };
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// The first line that differs.
fn difference(present: &[u8], expected: &[u8]) -> Option<String> {
    if present == expected {
        return None;
    }
    let (present, expected) = (String::from_utf8_lossy(present), String::from_utf8_lossy(expected));
    let mut lines = (1..).zip(
        present
            .split('\n')
            .map(Some)
            .chain(std::iter::repeat(None))
            .zip(expected.split('\n').map(Some).chain(std::iter::once(None))),
    );
    let (number, (is, should)) = lines.find(|(_, (a, b))| a != b)?;
    let show = |line: Option<&str>| line.map_or("the end of the file".to_owned(), |l| format!("{l:?}"));
    Some(format!("line {number} is      {}\nline {number} should be {}", show(is), show(should)))
}

/// `fdscope-fields(7)` is made of these sections, and one that is called otherwise would be missing.
#[test]
fn every_subcommand_has_its_fields() {
    let manuals = fdscope::commands::manuals();
    for manual in manuals.iter().filter(|manual| !manual.command.is_empty()) {
        let has = manual.sections.iter().any(|section| section.title == "FIELDS");
        assert!(has, "the manual of {} has no section FIELDS", manual.command);
    }
}
