//! The examples in man pages and help are commands that fdscope accepts. Those of README.md are
//! run, by `tests/readme.rs`.

use fdscope::commands::{Block, Section, check_where, guides, list_fields, manuals};
use fdscope::query::Where;
use regex::Regex;
use std::process::Command;

#[test]
fn in_the_manual() {
    let sections = sections();
    let code = sections
        .iter()
        .flat_map(|s| &s.blocks)
        .filter_map(|b| if let Block::Code(code) = b { Some(code) } else { None });
    let whole: Vec<String> = code.map(|c| c.replace("\\\n", "")).collect();
    let lines: Vec<&str> = whole.iter().flat_map(|c| c.lines()).collect();
    // What comes before a pipe is ours.
    let ours = lines.iter().filter(|l| l.starts_with("fdscope "));
    let ours = ours.map(|l| l.split(" | ").next().unwrap().trim_end_matches('|'));
    assert!(ours.map(accept).count() > 10);
}

/// Of all pages.
fn sections() -> Vec<Section> {
    let manuals = manuals().into_iter().flat_map(|manual| manual.sections);
    manuals.chain(guides().into_iter().flat_map(|guide| guide.sections)).collect()
}

#[test]
fn in_the_help() {
    let mut found = 0;
    for command in fdscope::cli::command().get_subcommands() {
        let help = command.get_after_help().expect("a subcommand's help ends with examples").to_string();
        for line in help.lines().filter_map(|l| l.strip_prefix("  fdscope ")) {
            // Two blanks are before what it does.
            accept(&format!("fdscope {}", line.split("  ").next().unwrap()));
            found += 1;
        }
    }
    assert!(found > 4);
}

#[test]
fn expressions_in_the_manual() {
    let manuals = manuals();
    let section = manuals.iter().flat_map(|m| &m.sections).find(|s| s.title == "EXPRESSIONS").unwrap();
    let terms = section.blocks.iter().filter_map(|b| if let Block::Term(t, ..) = b { Some(t) } else { None });
    let all = list_fields();
    let mut found = 0;
    for expression in terms.flat_map(|t| t.split('`')).filter(|e| e.contains(|c: char| c.is_alphabetic())) {
        if expression == "a ? b : c" {
            continue;
        }
        if let Err(error) = Where::compile(expression, &all) {
            panic!("{error}");
        }
        found += 1;
    }
    assert!(found > 5);
}

/// Splits a command as a shell does, and gives it to the definition of the command line. Where it
/// writes to and reads from is left out.
fn accept(line: &str) {
    let redirection = Regex::new(r" \d*<[^ ]+| > [a-z.]+$").unwrap();
    let script = format!("printf '%s\\0' {}", redirection.replace_all(line, ""));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = words.split_terminator('\0').collect();
    if let Err(error) = fdscope::cli::command().try_get_matches_from(&words) {
        panic!("{line}\n{error}");
    }
    let expression = words.iter().skip_while(|w| **w != "--where").nth(1);
    if let Some(Err(error)) = expression.map(|e| check_where(words[1], e)) {
        panic!("{line}\n{error}");
    }
}
