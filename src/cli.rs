//! The command line: the root command and the options that every subcommand has.

use crate::commands::{bench, limits, list, listen, loops, peers, sockets, threads, watch};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::render::Format;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// Show what a running process holds open, how near it is to its limits, and whether it keeps up
///
/// fdscope looks at processes from outside: it does not stop them, read their data or change
/// their state. list and limits show what processes hold, sockets and peers who is connected with
/// whom, threads and loops what they wait for and whether they keep up, watch what happens. With
/// listen it also opens listeners of its own, for clients to meet, or for a server to serve, and
/// with bench it measures what waiting for fds costs.
#[derive(Debug, Parser)]
#[command(name = "fdscope", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(Box<list::Args>),
    Sockets(Box<sockets::Args>),
    Peers(peers::Args),
    Limits(limits::Args),
    Threads(threads::Args),
    Listen(Box<listen::Args>),
    Loops(loops::Args),
    Watch(Box<watch::Args>),
    Bench(bench::Args),
}

impl Command {
    /// Whether it is for what is in /proc, and not for what it makes itself.
    fn looks_at_processes(&self) -> bool {
        !matches!(self, Self::Listen(_) | Self::Bench(_))
    }
}

/// Options of every subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// Output format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table", hide_possible_values = false)]
    format: Choice,
    /// Short for --format json
    #[arg(long, global = true, conflicts_with_all = ["format", "jsonl"])]
    json: bool,
    /// Short for --format jsonl
    #[arg(long, global = true, conflicts_with = "format")]
    jsonl: bool,
    /// Leave out the heading of tables and TSV
    #[arg(long, global = true)]
    pub no_header: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Leave out notes on stderr, but not errors; with watch also its lines, but not records
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What `--format` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// A format of all subcommands.
    Of(Format),
    /// One of `watch`, which writes it itself.
    Trace,
    /// One of `peers`, which writes it itself.
    Dot,
}

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[Choice] = &[
            Choice::Of(Format::Table),
            Choice::Of(Format::Json),
            Choice::Of(Format::Jsonl),
            Choice::Of(Format::Tsv),
            Choice::Trace,
            Choice::Dot,
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Of(format) => format.to_possible_value(),
            Self::Trace => {
                let help = "Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone";
                Some(PossibleValue::new("trace").help(help))
            }
            Self::Dot => {
                let help = "A graph in the language of graphviz, for dot(1); of peers alone";
                Some(PossibleValue::new("dot").help(help))
            }
        }
    }
}

impl Choice {
    /// The subcommand that alone writes it, if not all do.
    fn of_one(self) -> Option<&'static str> {
        match self {
            Self::Of(_) => None,
            Self::Trace => Some("watch"),
            Self::Dot => Some("peers"),
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, as NO_COLOR and CLICOLOR_FORCE say
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Global {
    /// The format, whichever way it was said.
    pub fn format(&self) -> Format {
        match (self.json, self.jsonl) {
            (true, _) => Format::Json,
            (_, true) => Format::Jsonl,
            _ => match self.format {
                Choice::Of(format) => format,
                // Whatever else is written is written as it comes.
                Choice::Trace | Choice::Dot => Format::Jsonl,
            },
        }
    }

    /// Whether trace events are asked for.
    pub fn trace(&self) -> bool {
        self.format == Choice::Trace
    }

    /// Whether a graph is asked for.
    pub fn dot(&self) -> bool {
        self.format == Choice::Dot
    }
}

impl Cli {
    /// Runs the subcommand.
    pub fn run(self) -> Result<Outcome, Error> {
        if self.global.trace() && !matches!(self.command, Command::Watch(_)) {
            return Err(Error::Usage("--format trace is a format of fdscope watch alone".to_owned()));
        }
        if self.global.dot() && !matches!(self.command, Command::Peers(_)) {
            return Err(Error::Usage("--format dot is a format of fdscope peers alone".to_owned()));
        }
        let mut context = Context::new(&self.global);
        context.check()?;
        if self.command.looks_at_processes() {
            context.tell_place();
        }
        match self.command {
            Command::List(args) => list::run(*args, &mut context),
            Command::Sockets(args) => sockets::run(*args, &mut context),
            Command::Peers(args) => peers::run(args, &mut context),
            Command::Limits(args) => limits::run(args, &mut context),
            Command::Threads(args) => threads::run(args, &mut context),
            Command::Listen(args) => listen::run(*args, &mut context),
            Command::Loops(args) => loops::run(args, &mut context),
            Command::Watch(args) => watch::run(*args, &mut context),
            Command::Bench(args) => bench::run(args, &mut context),
        }
    }
}

/// The definition that help, man pages and completions come from.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The same for completion by this program: each subcommand with the formats that it writes, and no
/// others.
pub fn for_completion() -> clap::Command {
    let command = command();
    let format = command.get_arguments().find(|argument| argument.get_id() == "format").cloned();
    // What depends on the words before the comma must see them.
    let command = command.mut_subcommand("watch", |watch| watch.mut_arg("with", |w| w.value_delimiter(None)));
    command.mut_subcommands(|subcommand| {
        let is_here = |choice: &&Choice| choice.of_one().is_none_or(|one| one == subcommand.get_name());
        let formats = Choice::value_variants().iter().filter(is_here).filter_map(Choice::to_possible_value);
        let parser = PossibleValuesParser::new(formats);
        // What a subcommand has of its own, it does not inherit.
        subcommand.args(format.clone().map(|format| format.value_parser(parser)))
    })
}

/// Reads a command line.
pub fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let quick = || {
        let mut command = alone(args.get(1)?.to_str()?)?;
        let matches = command.try_get_matches_from_mut(args);
        // To take it apart takes as long as to make it.
        std::mem::forget(command);
        Cli::from_arg_matches_mut(&mut matches.ok()?).ok()
    };
    // What is wrong, and help, is told by the whole.
    quick().map_or_else(|| Cli::try_parse_from(args), Ok)
}

/// The definition with this subcommand alone: that of all takes longer than many a run.
fn alone(subcommand: &str) -> Option<clap::Command> {
    let (name, augment): (_, fn(clap::Command) -> clap::Command) = match subcommand {
        "list" | "ls" => ("list", |command| list::Args::augment_args(command.alias("ls"))),
        "sockets" => ("sockets", sockets::Args::augment_args),
        "peers" => ("peers", peers::Args::augment_args),
        "limits" => ("limits", limits::Args::augment_args),
        "threads" => ("threads", threads::Args::augment_args),
        "listen" => ("listen", listen::Args::augment_args),
        "loops" => ("loops", loops::Args::augment_args),
        "watch" => ("watch", watch::Args::augment_args),
        "bench" => ("bench", bench::Args::augment_args),
        _ => return None,
    };
    let command = augment(clap::Command::new(name));
    Some(Global::augment_args(clap::Command::new("fdscope")).subcommand(command))
}

#[cfg(test)]
mod tests {
    use super::{Choice, Cli, Format, ValueEnum as _};
    use clap::Parser as _;
    use std::ffi::OsString;

    #[test]
    fn every_format_can_be_chosen() {
        let all: Vec<_> = Format::value_variants().iter().map(|format| Choice::Of(*format)).collect();
        assert_eq!(Choice::value_variants(), [all, vec![Choice::Trace, Choice::Dot]].concat());
    }

    #[test]
    fn the_definition_holds() {
        super::command().debug_assert();
    }

    #[test]
    fn every_subcommand_is_the_same_alone() {
        let told = |command: &clap::Command| {
            let mut command = command.clone();
            command.build();
            let arguments = command.get_arguments().map(|argument| format!("{argument:?}"));
            (command.get_name().to_owned(), arguments.collect::<Vec<_>>())
        };
        for command in super::command().get_subcommands() {
            for name in command.get_all_aliases().chain([command.get_name()]) {
                let alone = super::alone(name).unwrap_or_else(|| panic!("{name} is missing"));
                let subcommand = alone.find_subcommand(name).unwrap();
                assert_eq!(told(subcommand), told(command));
                alone.debug_assert();
            }
        }
    }

    #[test]
    fn a_command_line_reads_the_same_either_way() {
        for line in [
            "fdscope list --json 1",
            "fdscope ls -q --pids --port 80,90",
            "fdscope sockets --format tsv --listening",
            "fdscope list",
            "fdscope list --no-such",
            "fdscope list --help",
            "fdscope bench selectors --json",
            "fdscope bench",
            "fdscope --json list 1",
            "fdscope lits",
            "fdscope",
            "fdscope --version",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let told = |result: Result<Cli, clap::Error>| match result {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(told(super::parse(&words)), told(Cli::try_parse_from(&words)), "{line}");
        }
    }

    #[test]
    fn every_argument_has_help() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}: {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&super::command());
    }
}
