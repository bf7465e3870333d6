//! `fdscope-fields(7)`: all fields of all subcommands, gathered from their pages.

use super::{Guide, Section, manuals};
use crate::model::Type;

/// The heading of the section that each page has them in.
const HEADING: &str = "FIELDS";

pub(super) fn guide() -> Guide {
    let of_commands = manuals().into_iter().filter_map(|manual| {
        let section = manual.sections.into_iter().find(|section| section.title == HEADING)?;
        Some(Section { title: manual.command.to_uppercase().into(), ..section })
    });
    let mut sections = vec![description(), types()];
    sections.extend(of_commands);
    sections.push(Section::new("SEE ALSO").text(
        "`fdscope`(1) and the pages of its subcommands, `fdscope-readiness`(7), `jq`(1), `cut`(1), `awk`(1)",
    ));
    Guide { name: "fields", about: "The fields of all records, with their types and meaning", sections }
}

fn description() -> Section {
    Section::new("DESCRIPTION")
        .text(
            "What `fdscope` finds it says in records: one for each fd, limit, thread, socket or event. A record has \
             fields, and a field is one fact with a name and a type. The name is the same wherever the field is \
             met: in JSON and TSV, after `--columns`, and in the expressions of `--where`. Tables have it as a \
             heading, in capitals.",
        )
        .text(
            "A name with a dot belongs to records of some kinds alone: `tcp.state` is there for fds of kind tcp. In JSON \
             it is in an object: `{\"tcp\":{\"state\":\"listen\"}}`. A field that a record does not have is absent, as a \
             port is of a pipe; one without a value, such as a limit that is unlimited, is `null`. Where it takes \
             more to know what that stands for, the meaning says so.",
        )
        .text(
            "Each subcommand has its fields below, in its own order. `fdscope list --columns help` prints those of `list`, and so does any other subcommand that \
             has `--columns`. Which are shown unless others are chosen is in the page of the subcommand.",
        )
        .example(
            "One field, everywhere:",
            "fdscope list 4242 --columns fd,tcp.state\n\
             fdscope list 4242 --where 'tcp.state == \"listen\"'\n\
             fdscope list 4242 --jsonl | jq -r .tcp.state\n\
             fdscope list --columns help | grep tcp",
        )
}

fn types() -> Section {
    const ALL: [Type; 9] = [
        Type::String,
        Type::Integer,
        Type::Number,
        Type::Bool,
        Type::Size,
        Type::Duration,
        Type::Address,
        Type::List,
        Type::Records,
    ];
    let section = Section::new("TYPES").text(
        "The type stands in brackets before the meaning. It says what JSON has, and what `--where` may do with it:",
    );
    ALL.into_iter().fold(section, |section, ty| section.term(12, &format!("`{}`", ty.word()), meaning(ty)))
}

fn meaning(ty: Type) -> &'static str {
    match ty {
        Type::String => {
            "Text: `kind == 'pipe'`, `name.contains('log')`. Bytes that are not UTF-8 are `\\xHH`, as `fdscope`(1), \
             NAMES AND ESCAPES, says."
        }
        Type::Integer => "A whole number: `fd > 2`.",
        Type::Number => "A number with a fraction: `percent >= 90`.",
        Type::Bool => {
            "`true` or `false`; `yes` or `no` in tables. In `--where` it stands for itself: `deleted && fd > 2`."
        }
        Type::Size => {
            "A number of bytes. Tables show powers of 1024 (`64K`), and `--where` takes them: `regular.size > 100M`."
        }
        Type::Duration => {
            "A number of seconds, with a fraction. Tables show units that suit it (`1.5 s`, `20 ms`); `--where` \
             compares seconds: `asleep > 0.5`."
        }
        Type::Address => "Text: *IP*`:`*PORT*, with IPv6 in brackets. What else it may be, the meaning says.",
        Type::List => {
            "Texts or numbers. In JSON an array, in TSV joined by commas: `'nonblock' in flags`, `size(args) == 0`."
        }
        Type::Records => {
            "Records within the record, with fields of their own that the meaning names. In JSON an array of objects, \
             in TSV joined by semicolons: `epoll.watched.exists(w, w.stale)`."
        }
    }
}
