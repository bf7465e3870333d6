//! The other end of an fd.

use super::holder::{Holder, few};

/// Who is at the other end of an fd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// The fds there, by process and number: none where it is sure that nobody has the other end,
    /// and nothing where that cannot be known.
    pub holders: Option<Vec<Holder>>,
    /// Whether nobody has accepted the connection yet: the fds are then those that listen, and of a
    /// listener those that wait.
    pub waiting: bool,
    /// Whether it has asked for a connection and got no answer: the fds are those that listen there,
    /// and it is in no queue of theirs.
    pub unanswered: bool,
}

/// How an fd and its other end belong together, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Bytes come from there.
    From,
    /// Bytes go there.
    To,
    /// Both.
    With,
    /// There is but one end, which all have.
    Shared,
    /// Others wait to be accepted.
    Waiting,
}

impl Peers {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { holders: None, waiting: false, unanswered: false };
    /// There is nobody.
    pub const NOBODY: Self = Self { holders: Some(Vec::new()), ..Self::UNKNOWN };

    /// These.
    pub fn of(holders: Vec<Holder>) -> Self {
        Self { holders: Some(holders), ..Self::UNKNOWN }
    }

    /// The fds, as far as they are known.
    pub fn known(&self) -> &[Holder] {
        self.holders.as_deref().unwrap_or_default()
    }

    /// Appends it to the name of the fd, in a few words.
    pub fn describe(&self, joint: Joint, name: &mut Vec<u8>) {
        let before: &[u8] = match (&self.holders, joint) {
            (None, Joint::Shared) => return,
            (None, _) if self.waiting => return name.extend_from_slice(b", waiting to be accepted"),
            (None, _) if self.unanswered => return name.extend_from_slice(b", not answered"),
            (None, _) => return name.extend_from_slice(b", other end not known"),
            // That nobody shares it is how most are.
            (Some(holders), Joint::Shared) if holders.is_empty() => return,
            (Some(holders), _) if holders.is_empty() => {
                return name.extend_from_slice(b", nobody at the other end");
            }
            (Some(_), Joint::Waiting) => b", not accepted: ",
            (Some(_), _) if self.waiting => b", waiting at ",
            (Some(_), _) if self.unanswered => b", not answered by ",
            (Some(_), Joint::From) => b", from ",
            (Some(_), Joint::To) => b", to ",
            (Some(_), Joint::With) => b", with ",
            (Some(_), Joint::Shared) => b", shared with ",
        };
        name.extend_from_slice(before);
        few(self.known(), name, |name, command| name.extend_from_slice(command));
    }
}

#[cfg(test)]
mod tests {
    use super::{Joint, Peers};
    use crate::model::{FdNum, Holder, Pid, Process};
    use std::sync::Arc;

    #[test]
    fn what_is_said_of_the_other_end() {
        let process = Process { pid: Pid(7), command: b"a b".to_vec(), uid: 0, user: None };
        let holder = Holder { process: Arc::new(process), fd: FdNum(3) };
        let one = Peers::of(vec![holder]);
        let said = |peers: &Peers, joint| {
            let mut name = b"x".to_vec();
            peers.describe(joint, &mut name);
            String::from_utf8(name).unwrap()
        };
        assert_eq!(said(&one, Joint::From), "x, from 7/a b 3");
        assert_eq!(said(&one, Joint::To), "x, to 7/a b 3");
        assert_eq!(said(&one, Joint::Shared), "x, shared with 7/a b 3");
        assert_eq!(said(&Peers { waiting: true, ..one.clone() }, Joint::Waiting), "x, not accepted: 7/a b 3");
        assert_eq!(said(&Peers { waiting: true, ..one.clone() }, Joint::With), "x, waiting at 7/a b 3");
        assert_eq!(said(&Peers { unanswered: true, ..one }, Joint::With), "x, not answered by 7/a b 3");
        assert_eq!(said(&Peers::NOBODY, Joint::With), "x, nobody at the other end");
        assert_eq!(said(&Peers::NOBODY, Joint::Shared), "x");
        assert_eq!(said(&Peers::UNKNOWN, Joint::To), "x, other end not known");
        assert_eq!(said(&Peers::UNKNOWN, Joint::Shared), "x");
    }
}
