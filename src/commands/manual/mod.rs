//! What the man pages say beyond the definition of the command line: a file a page, and what
//! they share. `tests/generated.rs` turns it into `man/`.
//!
//! In running text, `` `x` `` is something to type or a name, and `*x*` something to put in its
//! place.

mod bench;
mod fields;
mod limits;
mod list;
mod listen;
mod loops;
mod peers;
mod program;
mod readiness;
mod registry;
mod shared;
mod sockets;
mod table;
mod threads;
mod watch;

use std::borrow::Cow;

/// The sections of one page.
#[derive(Clone, Debug)]
pub struct Manual {
    /// The subcommand, or nothing for the page of the program.
    pub command: &'static str,
    /// What follows the options, in order.
    pub sections: Vec<Section>,
}

/// A page of section 7, which is about no one subcommand.
#[derive(Clone, Debug)]
pub struct Guide {
    /// What follows `fdscope-` in its name.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// What it says, in order.
    pub sections: Vec<Section>,
}

/// A section of a page.
#[derive(Clone, Debug)]
pub struct Section {
    /// The heading, in capitals.
    pub title: Cow<'static, str>,
    /// What is in it, in order.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading within the section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Lines as they are.
    Code(String),
    /// Commands after `$ ` and what they print, as `tests/guide.rs` runs it: what differs from run to run
    /// stands in `«»`, which are not shown.
    Session(String),
    /// A file that such commands use: its name and its text.
    File(&'static str, String),
    /// A word and what it means, beside or below it; the number is the width that words have.
    Term(String, String, u8),
    /// Many of them, without blank lines between.
    Table(Vec<(String, String)>, u8),
}

impl Section {
    fn new(title: impl Into<Cow<'static, str>>) -> Self {
        Self { title: title.into(), blocks: Vec::new() }
    }

    fn heading(self, text: impl Into<String>) -> Self {
        self.with(Block::Heading(text.into()))
    }

    fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    fn code(self, text: impl Into<String>) -> Self {
        self.with(Block::Code(text.into()))
    }

    fn session(self, text: impl Into<String>) -> Self {
        self.with(Block::Session(text.into()))
    }

    fn file(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(Block::File(name, text.into()))
    }

    /// What the example does, and the example.
    fn example(self, text: &str, code: &str) -> Self {
        self.text(text).code(code)
    }

    fn terms<'t>(self, width: u8, terms: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        terms.into_iter().fold(self, |section, (term, text)| section.term(width, term, text))
    }

    fn term(self, width: u8, term: &str, text: impl Into<String>) -> Self {
        self.with(Block::Term(term.to_owned(), text.into(), width))
    }

    fn table(self, width: u8, rows: impl IntoIterator<Item = (String, String)>) -> Self {
        self.with(Block::Table(rows.into_iter().collect(), width))
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

/// The pages of section 1.
pub fn manuals() -> Vec<Manual> {
    vec![
        program::manual(),
        list::manual(),
        sockets::manual(),
        peers::manual(),
        limits::manual(),
        threads::manual(),
        listen::manual(),
        loops::manual(),
        watch::manual(),
        bench::manual(),
    ]
}

/// The pages of section 7.
pub fn guides() -> Vec<Guide> {
    vec![fields::guide(), readiness::guide()]
}
