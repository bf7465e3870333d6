//! Fields: the name, type and meaning of one fact, the same in every output.

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// `true` or `false`.
    Bool,
    /// A number of bytes.
    Size,
    /// Seconds, with a fraction.
    Duration,
    /// `ip:port` or `[ip6]:port`.
    Address,
    /// Several texts or numbers.
    List,
    /// Several records.
    Records,
}

impl Type {
    /// The word for it in help and man pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Size => "bytes",
            Self::Duration => "seconds",
            Self::Address => "address",
            Self::List => "list",
            Self::Records => "records",
        }
    }

    /// Whether values compare as numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Size | Self::Duration)
    }

    /// Whether values compare as text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Address)
    }
}

/// One field: dotted where a kind owns it (`tcp.state`), plain where all records have it.
#[derive(Debug)]
pub struct Field {
    /// Its name in `--columns`, JSON, TSV, `--where` and the man page.
    pub name: &'static str,
    /// What its values are.
    pub ty: Type,
    /// One line on what it says.
    pub help: &'static str,
    /// What each of its records may have, where it has records.
    pub members: &'static [Member],
}

/// What a record in a list may have, and of which type.
pub type Member = (&'static str, Type);

impl Field {
    /// A field, in one line of a table.
    pub const fn new(name: &'static str, ty: Type, help: &'static str) -> Self {
        Self { name, ty, help, members: &[] }
    }

    /// The same, with what each of its records may have.
    pub const fn with(self, members: &'static [Member]) -> Self {
        Self { members, ..self }
    }
}
