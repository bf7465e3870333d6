//! `--family`: the words that it takes.

use crate::model::Family;

/// Words for several families at once.
const GROUPS: &[(&str, &[Family])] = &[
    ("tcp", &[Family::Tcp, Family::Tcp6]),
    ("tcp4", &[Family::Tcp]),
    ("udp", &[Family::Udp, Family::Udp6]),
    ("udp4", &[Family::Udp]),
    ("udplite", &[Family::Udplite, Family::Udplite6]),
    ("raw", &[Family::Raw, Family::Raw6]),
    ("ping", &[Family::Ping, Family::Ping6]),
    ("mptcp", &[Family::Mptcp, Family::Mptcp6]),
    (
        "inet",
        &[
            Family::Tcp,
            Family::Tcp6,
            Family::Udp,
            Family::Udp6,
            Family::Raw,
            Family::Raw6,
            Family::Ping,
            Family::Ping6,
            Family::Udplite,
            Family::Udplite6,
            Family::Mptcp,
            Family::Mptcp6,
        ],
    ),
];

/// All words, the groups first.
pub(super) fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = GROUPS.iter().map(|(word, _)| *word).collect();
    for family in Family::ALL {
        if !words.contains(&family.word()) {
            words.push(family.word());
        }
    }
    words
}

/// The families that a word means.
fn of(word: &str) -> Vec<Family> {
    match GROUPS.iter().find(|(group, _)| *group == word) {
        Some((_, families)) => families.to_vec(),
        None => Family::ALL.iter().copied().filter(|family| family.word() == word).collect(),
    }
}

/// The families that any of the words means, in our order; all, if nothing is said.
pub(super) fn chosen(words: &[String]) -> Vec<Family> {
    let wanted: Vec<Family> = words.iter().flat_map(|word| of(word)).collect();
    Family::ALL.iter().copied().filter(|family| words.is_empty() || wanted.contains(family)).collect()
}

#[cfg(test)]
mod tests {
    use super::{chosen, of, words};
    use crate::model::Family;

    #[test]
    fn every_word_means_something() {
        for word in words() {
            assert!(!of(word).is_empty(), "{word}");
        }
        for family in Family::ALL {
            assert!(words().iter().any(|word| of(word).contains(family)), "{family:?}");
        }
    }

    #[test]
    fn what_is_chosen() {
        let of = |words: &[&str]| chosen(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), Family::ALL);
        assert_eq!(of(&["unix", "tcp"]), [Family::Tcp, Family::Tcp6, Family::Unix]);
        assert_eq!(of(&["tcp6", "tcp4"]), [Family::Tcp, Family::Tcp6]);
    }
}
