//! What the man pages say beyond the definition of the command line.

/// A section: its heading and its text, in the small markup of `tests/support/man.rs`.
#[derive(Clone, Debug)]
pub struct Section {
    /// The heading, in capitals.
    pub title: &'static str,
    /// The text.
    pub body: String,
}

/// The sections of one page.
#[derive(Clone, Debug)]
pub struct Manual {
    /// The subcommand, or nothing for the page of the program.
    pub command: &'static str,
    /// The sections, in order.
    pub sections: Vec<Section>,
}

/// All pages.
pub fn manuals() -> Vec<Manual> {
    Vec::new()
}
