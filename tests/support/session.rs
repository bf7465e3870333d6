//! Sessions in the guides: commands after `$ `, and below each what it prints. What differs from run
//! to run stands in `«»`: of it, numbers and their units may be others, and after a `|` is what may be
//! there instead. `...` stands for whatever is left out, and a line may be folded anywhere at a blank.

use regex::Regex;
use std::fmt::Write as _;

/// A command, and what it prints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) prints: String,
}

/// The steps of a session. A command goes on where a line ends with a backslash.
pub(crate) fn steps(session: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in session.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), prints: String::new() }),
            (None, Some(step)) if step.prints.is_empty() && step.command.ends_with('\\') => {
                step.command += &format!("\n{line}");
            }
            (None, Some(step)) => step.prints += &format!("{line}\n"),
            (None, None) => panic!("a session begins with a command, not with {line:?}"),
        }
    }
    steps
}

/// What a command may print, from what the guide says that it prints.
pub(crate) fn pattern(prints: &str) -> Regex {
    let mut pattern = String::new();
    let mut rest = prints.trim();
    while let Some(at) = rest.find('«') {
        let end = rest.find('»').expect("a « has its »");
        pattern += &literal(&rest[..at]);
        let either: Vec<String> = rest[at + '«'.len_utf8()..end].split('|').map(volatile).collect();
        let _ = write!(pattern, "(?:{})", either.join("|"));
        rest = &rest[end + '»'.len_utf8()..];
    }
    pattern += &literal(rest);
    Regex::new(&format!(r"\A\s*{pattern}\s*\z")).expect("a pattern of literals and numbers")
}

/// As it is, but for blanks, of which there may be more or fewer, and for what is left out.
fn literal(text: &str) -> String {
    let left_out: Vec<String> = text.split("...").map(|part| blanks(part, regex::escape)).collect();
    left_out.join(r"[\s\S]*?")
}

/// A number with its unit stands for any; words are meant.
fn volatile(text: &str) -> String {
    const UNIT: &str = "(?: ?(?:ns|µs|ms|s|min|h|K|M|G)\\b)?";
    let number = Regex::new(&format!("[0-9][0-9.,:]*{UNIT}")).expect("a pattern");
    let mut pattern = String::new();
    let mut done = 0;
    for found in number.find_iter(text) {
        pattern += &blanks(&text[done..found.start()], regex::escape);
        let _ = write!(pattern, "[0-9][0-9.,:]*{UNIT}");
        done = found.end();
    }
    pattern + &blanks(&text[done..], regex::escape)
}

fn blanks(text: &str, word: impl Fn(&str) -> String) -> String {
    let words: Vec<String> = text.split(char::is_whitespace).map(word).collect();
    Regex::new(r"(?:\x00)+").expect("a pattern").replace_all(&words.join("\0"), r"\s+").into_owned()
}

/// As a reader sees it.
pub(crate) fn shown(session: &str) -> String {
    let mut shown = String::new();
    let mut instead = false;
    let mut inside = false;
    for c in session.chars() {
        match c {
            '«' | '»' => (inside, instead) = (c == '«', false),
            '|' if inside => instead = true,
            c if !instead => shown.push(c),
            _ => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Step, pattern, shown, steps};

    #[test]
    fn a_session_is_commands_and_what_they_print() {
        let step = |command: &str, prints: &str| Step { command: command.into(), prints: prints.into() };
        let expected = vec![step("true", ""), step("echo a \\\n  b", "a b\n"), step("cat x", "1\n2\n")];
        assert_eq!(steps("$ true\n$ echo a \\\n  b\na b\n$ cat x\n1\n2\n"), expected);
    }

    #[test]
    fn numbers_in_marks_may_be_others_and_nothing_else() {
        let fits = |prints: &str, what: &str| pattern(prints).is_match(what);
        assert!(fits("«4242» sleep for «1.5 s»", "77  sleep for 200 µs\n"));
        assert!(fits("a\nb ...", "a b c d"));
        assert!(fits("on «1 ms|no fd» left", "on no fd left"));
        assert!(fits("PID  NAME\n«4242»  x.y", "  PID NAME\n  1  x.y\n"));
        assert!(!fits("«4242» sleep", "4242 cat"));
        assert!(!fits("4242 sleep", "4243 sleep"));
        assert!(!fits("x.y", "xzy"));
        assert!(!fits("a", "a b"));
        assert!(!fits("ab", "a b"));
    }

    #[test]
    fn readers_see_no_marks() {
        assert_eq!(shown("$ a | b\n«42» «x|y» z"), "$ a | b\n42 x z");
    }
}
