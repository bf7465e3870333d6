//! Lines, which the server sends back.

use super::protocol::Protocol;
use std::io::Write as _;

/// Lines that a server sends back, each of which begins with a time for it to compute, for servers
/// that do so.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What those of the heavy connections begin with, such as `10ms`. All others say `0`.
    pub time: String,
    /// How many connections are heavy: the first ones.
    pub heavy: usize,
}

impl Protocol for Lines {
    fn ask(&self, connection: usize, number: u64, question: &mut Vec<u8>) {
        let time = if self.is_heavy(connection) { &self.time } else { "0" };
        // Into a Vec, which takes everything.
        let _ = writeln!(question, "{time} {connection:08} {number:016}");
    }

    fn look(&self, question: &[u8], answer: &[u8], ended: bool) -> Result<bool, String> {
        if answer.len() > question.len() || !question.starts_with(answer) {
            return Err("an answer is not what was asked".to_owned());
        }
        match answer.len() == question.len() {
            false if ended => Err("a connection was closed before its answer was complete".to_owned()),
            is_whole => Ok(is_whole),
        }
    }

    fn is_heavy(&self, connection: usize) -> bool {
        connection < self.heavy
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Protocol as _};

    #[test]
    fn only_the_same_is_right() {
        let lines = Lines { time: "5ms".to_owned(), heavy: 1 };
        let ask = |connection, number| {
            let mut question = Vec::new();
            lines.ask(connection, number, &mut question);
            question
        };
        assert_eq!(ask(0, 7), b"5ms 00000000 0000000000000007\n");
        let question = ask(1, 8);
        assert_eq!(question, b"0 00000001 0000000000000008\n");
        assert_eq!(lines.look(&question, &question, false), Ok(true));
        assert_eq!(lines.look(&question, &question[..5], false), Ok(false));
        assert!(lines.look(&question, &question[..5], true).unwrap_err().contains("closed"));
        assert!(lines.look(&question, &ask(1, 9), false).is_err());
        assert!(lines.look(&question, &[&question[..], b"x"].concat(), false).is_err());
    }
}
