//! A man page from the definition of a command and the sections that its manual adds.

use super::roff::Page;
use super::session::shown;
use clap::{Arg, Command};
use fdscope::commands::{Block, Guide, Section};

/// The date in the footer: that of the last change which is worth one, not of the build.
const DATE: &str = "2026-11-23";

/// The heading of options without one.
const PLAIN: &str = "";

/// The page of `command`, called `name`: `fdscope-list`, say.
pub(crate) fn page(name: &str, command: &Command, sections: &[Section]) -> String {
    let mut page = start(name, 1, &text(command.get_about()));
    page.section("SYNOPSIS");
    synopsis(&mut page, command);
    page.section("DESCRIPTION");
    let about = text(command.get_long_about().or(command.get_about()));
    // The summary is in NAME already.
    for (i, paragraph) in about.split("\n\n").skip(1).enumerate() {
        page.text(&paragraph.replace('\n', " "), i == 0);
    }
    subcommands(&mut page, command);
    options(&mut page, command);
    rest(&mut page, sections);
    page.finish()
}

/// The page of a guide, called `name`: `fdscope-fields`, say.
pub(crate) fn guide(name: &str, guide: &Guide) -> String {
    let mut page = start(name, 7, guide.about);
    rest(&mut page, &guide.sections);
    page.finish()
}

fn start(name: &str, section: u8, about: &str) -> Page {
    let source = format!("fdscope {}", env!("CARGO_PKG_VERSION"));
    let mut page = Page::new(name, section, DATE, &source);
    page.section("NAME");
    page.text(&format!("{name} - {}", lower(about)), true);
    page
}

fn rest(page: &mut Page, sections: &[Section]) {
    for section in sections {
        page.section(&section.title);
        blocks(page, &section.blocks);
    }
}

fn synopsis(page: &mut Page, command: &Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let operands: Vec<String> = match command.has_subcommands() {
        true => vec!["*COMMAND* [*ARGUMENT*]...".to_owned()],
        false => command.get_positionals().map(operand).collect(),
    };
    page.text(format!("`{name}` [*OPTION*]... {}", operands.join(" ")).trim_end(), true);
}

/// One that comes last is behind `--`, and a command with its arguments.
fn operand(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match arg.is_last_set() {
        true => format!("[`--` *{name}* [*ARGUMENT*]...]"),
        false => format!("[*{name}*]..."),
    }
}

fn subcommands(page: &mut Page, command: &Command) {
    if !command.has_subcommands() {
        return;
    }
    page.section("COMMANDS");
    for sub in command.get_subcommands() {
        let aliases: String = sub.get_visible_aliases().map(|a| format!(", `{a}`")).collect();
        let term = format!("`{}`{aliases}", sub.get_name());
        let about = sentence(&text(sub.get_about()));
        let see = format!("{about} See `{}-{}`(1).", command.get_name(), sub.get_name());
        page.term(&term, &see, 14);
    }
}

/// Options below their headings, in the order of `--help`; those of all subcommands last.
fn options(page: &mut Page, command: &Command) {
    let shown = |a: &&Arg| !a.is_positional() && !a.is_hide_set();
    let mut headings = vec![PLAIN];
    for arg in command.get_arguments().filter(shown) {
        let heading = arg.get_help_heading().unwrap_or(PLAIN);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    page.section("OPTIONS");
    for heading in headings {
        let mut args: Vec<&Arg> = command
            .get_arguments()
            .filter(shown)
            .filter(|a| a.get_help_heading().unwrap_or(PLAIN) == heading)
            .collect();
        args.sort_by_key(|a| a.is_global_set());
        if !heading.is_empty() {
            page.heading(heading);
        }
        args.into_iter().for_each(|arg| option(page, arg));
    }
}

fn option(page: &mut Page, arg: &Arg) {
    let short = arg.get_short().map(|s| format!("`-{s}`"));
    let long = arg.get_long().map(|l| format!("`--{l}`"));
    let mut term = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() {
        let names = arg.get_value_names().unwrap_or_default();
        let value: Vec<String> = names.iter().map(|n| format!("*{n}*")).collect();
        term = format!("{term} {}", value.join(" "));
    }
    if arg.get_id() == "help" {
        // What clap says of it differs between short and long help.
        page.term(&term, "Print help: `-h` a summary, `--help` all of it.", 8);
        return;
    }
    let mut help = sentence(&text(arg.get_long_help().or(arg.get_help())).replace('\n', " "));
    let default: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !default.is_empty() {
        help = format!("{help} The default is `{}`.", default.join(" "));
    }
    page.term(&term, &help, 8);
    let possible = arg.get_possible_values();
    if arg.get_action().takes_values() && !possible.is_empty() {
        let values = possible.iter().filter(|v| !v.is_hide_set());
        let values: Vec<String> = values
            .map(|v| match v.get_help() {
                Some(help) if help.to_string().to_lowercase() != v.get_name() => {
                    format!("`{}` ({})", v.get_name(), lower(&help.to_string()))
                }
                _ => format!("`{}`", v.get_name()),
            })
            .collect();
        page.more(&format!("One of {}.", values.join(", ")));
    }
}

fn blocks(page: &mut Page, blocks: &[Block]) {
    let mut first = true;
    for block in blocks {
        match block {
            Block::Heading(text) => page.heading(text),
            Block::Text(text) => page.text(text, first),
            Block::Code(text) | Block::File(_, text) => page.code(text, first),
            Block::Session(text) => page.code(&shown(text), first),
            Block::Term(term, text, width) => page.term(term, text, *width),
            Block::Table(rows, width) => page.table(rows, *width),
        }
        first = matches!(block, Block::Heading(_));
    }
}

fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(ToString::to_string).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// For use after other words: the first letter small, unless an acronym begins there.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if !b.is_uppercase() => a.to_lowercase().to_string() + &text[a.len_utf8()..],
        _ => text.to_owned(),
    }
}
