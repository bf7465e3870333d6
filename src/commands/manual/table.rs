//! What is reported of fds in each state, from the table that the selectors' suite measures.

use super::Section;
use crate::selector::{EpollTells, Object, STATES};
use std::fmt::Write as _;

/// Under a heading each.
pub(super) fn readiness(section: Section) -> Section {
    STATES.iter().fold(section, |section, (heading, objects)| section.heading(*heading).code(lines(objects)))
}

fn lines(objects: &[Object]) -> String {
    let mut table = line("", "poll", "select", "epoll");
    for object in objects {
        table += &line(object.name, "", "", "");
        for state in object.states {
            let epoll = match state.epoll {
                EpollTells::AsPoll => "",
                EpollTells::Perm => "EPERM",
                EpollTells::Badf => "EBADF",
            };
            table += &line(&format!("  {}", state.name), &told(state.poll), &told(state.select), epoll);
        }
    }
    table
}

fn told(names: &str) -> String {
    if names.is_empty() { "-".to_owned() } else { names.replace(',', " ") }
}

fn line(what: &str, poll: &str, select: &str, epoll: &str) -> String {
    let mut line = String::new();
    let _ = write!(line, "{what:<29}{poll:<22}{select:<8}{epoll}");
    format!("{}\n", line.trim_end())
}
