//! Values of fields.

use super::bitset::BitSet;
use super::endpoint::Endpoint;
use super::holder::Holder;
use super::ids::Device;
use std::borrow::Cow;

/// A value that a kind's decoder made, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Known to have no value (an unlimited limit, say).
    Null,
    /// Yes or no.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// Seconds and percentages.
    Float(f64),
    /// A fixed word.
    Word(&'static str),
    /// Bytes as the kernel gave them: mostly, but not always, UTF-8.
    Text(Vec<u8>),
    /// A device number.
    Device(Device),
    /// A mask with names.
    Set(BitSet),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Map(Vec<(&'static str, Value)>),
}

/// A value as a renderer or an expression reads it, borrowed from its record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Known to have no value.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// Seconds and percentages.
    Float(f64),
    /// A word of ours, in which nothing is to be escaped.
    Word(&'static str),
    /// Bytes, mostly UTF-8.
    Text(&'a [u8]),
    /// An internet address with its port.
    Address(Endpoint),
    /// Fds of processes.
    Holders(&'a [Holder]),
    /// A device number.
    Device(Device),
    /// A mask with names.
    Set(BitSet),
    /// Several values.
    List(&'a [Value]),
    /// Named values.
    Map(&'a [(&'static str, Value)]),
}

impl Value {
    /// The borrowed view.
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Bool(b) => Cell::Bool(*b),
            Self::Int(n) => Cell::Int(*n),
            Self::Uint(n) => Cell::Uint(*n),
            Self::Float(x) => Cell::Float(*x),
            Self::Word(w) => Cell::Word(w),
            Self::Text(t) => Cell::Text(t),
            Self::Device(d) => Cell::Device(*d),
            Self::Set(s) => Cell::Set(*s),
            Self::List(l) => Cell::List(l),
            Self::Map(m) => Cell::Map(m),
        }
    }

    /// A list of texts.
    pub fn texts(items: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self::List(items.into_iter().map(|t| Self::Text(t.into())).collect())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Self::Int(n.into())
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Uint(n.into())
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Uint(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<&'static str> for Value {
    fn from(w: &'static str) -> Self {
        Self::Word(w)
    }
}

impl From<&[u8]> for Value {
    fn from(t: &[u8]) -> Self {
        Self::Text(t.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(t: Vec<u8>) -> Self {
        Self::Text(t)
    }
}

impl From<String> for Value {
    fn from(t: String) -> Self {
        Self::Text(t.into_bytes())
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(t: Cow<'static, str>) -> Self {
        match t {
            Cow::Borrowed(word) => Self::Word(word),
            Cow::Owned(text) => Self::Text(text.into_bytes()),
        }
    }
}

impl From<Device> for Value {
    fn from(d: Device) -> Self {
        Self::Device(d)
    }
}

impl From<BitSet> for Value {
    fn from(s: BitSet) -> Self {
        Self::Set(s)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
