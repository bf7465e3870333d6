//! The label of a row, and texts that fit.

use super::row::Row;
use crate::commands::watch::event::Who;
use crate::commands::watch::lines::short;
use crate::commands::watch::tracks::Track;
use crate::model::{Escape, escape};
use unicode_width::UnicodeWidthChar as _;

/// `4242:7 pipe`, and which selector where there are several.
pub(super) fn label(track: &Track<Row>, several: bool) -> String {
    let who: &Who = &track.who;
    let kind = escape(who.kind.as_bytes(), Escape::Table);
    let selector = if several { track.selector } else { "" };
    format!("{} {kind} {selector}", short(who)).trim_end().to_owned()
}

/// How many columns of a terminal a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of a text as a width has room for.
pub(super) fn fit(text: &str, width: usize, cut: char) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut rest = width.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let Some(left) = rest.checked_sub(c.width().unwrap_or(0)) else { break };
        rest = left;
        short.push(c);
    }
    if width > 0 {
        short.push(cut);
    }
    short
}
