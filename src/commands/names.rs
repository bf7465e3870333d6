//! Arguments that need not be UTF-8: names are whatever bytes somebody chose.

use crate::proc::Target;
use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use std::os::unix::ffi::OsStrExt as _;

/// What has clap read an argument of any bytes.
pub(super) fn parser<T: Clone + Send + Sync + 'static>(parse: fn(&[u8]) -> Result<T, String>) -> ValueParser {
    ValueParser::from(OsStringValueParser::new().try_map(move |word| parse(word.as_bytes())))
}

impl ValueParserFactory for Target {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        parser(Self::from_bytes)
    }
}
