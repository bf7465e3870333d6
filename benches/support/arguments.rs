//! What a benchmark is told on its command line.

use crate::Result;
use std::time::Duration;

/// An option, and what it takes, in words.
pub(crate) type Choice = (&'static str, &'static str);

/// How often.
pub(crate) const RUNS: Choice = ("--runs", "a number");
/// For how long.
pub(crate) const SECONDS: Choice = ("--seconds", "a number");

/// What was said.
pub(crate) struct Arguments<'a> {
    /// Whether it is only to see that all work: without cargo's `--bench`, as under `cargo test`.
    pub(crate) trial: bool,
    options: Vec<(&'static str, &'a str)>,
    parts: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    /// With these options, and these parts, each of which is a `noun`.
    pub(crate) fn parse(
        args: &[&'a str],
        options: &[Choice],
        (noun, parts): (&str, &[&str]),
    ) -> Result<Self> {
        let trial = args.contains(&"--test") || !args.contains(&"--bench");
        let mut said = Self { trial, options: Vec::new(), parts: Vec::new() };
        let mut args = args.iter().copied().filter(|arg| !matches!(*arg, "--bench" | "--test"));
        while let Some(arg) = args.next() {
            if let Some((option, what)) = options.iter().find(|(option, _)| *option == arg) {
                let value = args.next().ok_or_else(|| format!("{option} takes {what}"))?;
                said.options.push((option, value));
            } else if parts.contains(&arg) {
                said.parts.push(arg);
            } else if !trial {
                return Err(format!("there is no {noun} '{arg}': {}", parts.join(", ")).into());
            }
            // What else a test runner says is not for us.
        }
        Ok(said)
    }

    /// All that was said of an option.
    pub(crate) fn all(&self, option: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.options.iter().filter(move |(said, _)| *said == option).map(|(_, value)| *value)
    }

    /// How many runs; one in a trial, unless it says how many.
    pub(crate) fn runs(&self, usual: usize) -> Result<usize> {
        let usual = if self.trial { 1 } else { usual };
        match self.all(RUNS.0).next_back().map_or(Ok(usual), str::parse)? {
            0 => Err("--runs takes a number above 0".into()),
            runs => Ok(runs),
        }
    }

    /// For how long.
    pub(crate) fn time(&self, usual: Duration) -> Result<Duration> {
        let Some(seconds) = self.all(SECONDS.0).next_back() else { return Ok(usual) };
        let time = Duration::try_from_secs_f64(seconds.parse()?)?;
        if time.is_zero() { Err("--seconds takes a number above 0".into()) } else { Ok(time) }
    }

    /// Whether this part is to be done: all are, if none was named.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
