//! How far it is, on a terminal.

use crate::commands::sink::is_in_front_of;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io;

/// A line on standard error, if that is a terminal, which goes away with it.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many steps.
    pub(super) fn new(steps: u64, quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        // It is hidden where there is no terminal.
        let shown = !quiet && !dumb && is_in_front_of(io::stderr());
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        let style = ProgressStyle::with_template("[{wide_bar}] {eta} left  {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// What the next step is.
    pub(super) fn next(&self, what: String) {
        self.0.set_message(what);
    }

    /// A step is done.
    pub(super) fn done(&self) {
        self.0.inc(1);
    }

    /// Writes to the terminal without the line.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
