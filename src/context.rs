//! What a command works with: where /proc is, where output goes and how.

use crate::cli::{ColorChoice, Global};
use crate::error::Error;
use crate::model::{Tally, neutralise};
use crate::proc::{ProcRoot, System, check_environment};
use crate::render::Style;
use crate::sys;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

/// The surroundings of a command.
pub struct Context {
    /// The proc filesystem.
    pub root: ProcRoot,
    /// How output looks.
    pub style: Style,
    /// Whether to write trace events, whatever the style says.
    pub trace: bool,
    /// Whether to write a graph, whatever the style says.
    pub dot: bool,
    /// Whether notes on stderr are unwanted.
    pub quiet: bool,
    /// Standard output.
    pub out: BufWriter<Stdout>,
}

impl Context {
    /// From the global options and the environment.
    pub fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            root: ProcRoot::from_env(),
            style: Style {
                format: global.format(),
                header: !global.no_header,
                color: wants_color(global.color, terminal),
                terminal,
            },
            trace: global.trace(),
            dot: global.dot(),
            quiet: global.quiet,
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
        }
    }

    /// What is wrong with what we were given, if anything is.
    pub fn check(&self) -> Result<(), Error> {
        sys::check_stdout().map_err(Error::Output)?;
        check_environment().map_err(Error::Usage)
    }

    /// Something that the user should know and that is not an answer.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// That /proc is not ours, and what is left out for it.
    pub fn tell_place(&self) {
        if self.root.is_misplaced()
            && let Some(why) = self.root.strangeness()
        {
            self.note(&format!("less can be told of processes: {why}"));
        }
    }

    /// That there are processes that cannot even be counted, if there are.
    pub fn tell_hidden(&self, tally: Tally) {
        if tally.hidden {
            self.note("/proc is mounted with hidepid: processes of others are not seen");
        }
    }

    /// That what `FDSCOPE_BPF` asks for cannot be had.
    pub fn tell_iterator(&self, system: &System) {
        if let Some(reason) = system.iterator_refusal() {
            self.note(&format!("FDSCOPE_BPF: fds are read without the iterator of bpf(2): {reason}"));
        }
    }

    /// Something that went wrong with part of what was asked.
    pub fn complain(&self, text: &str) {
        complain(text);
    }
}

/// [`Context::complain`], for those who write to the output meanwhile.
pub fn complain(text: &str) {
    drop(writeln!(io::stderr(), "fdscope: {}", neutralise(text)));
}

/// `--color` wins, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether anybody is looking.
fn wants_color(choice: ColorChoice, terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR") => false,
        ColorChoice::Auto
            if set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0") =>
        {
            true
        }
        ColorChoice::Auto => terminal && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
    }
}
