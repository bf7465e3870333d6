//! `--kind`: the words that it takes.

use crate::kind::ALL;
use crate::model::nearest;

/// Sockets of protocols that have no kind of their own: `/proc/net/protocols` of a full kernel.
const OTHER_PROTOCOLS: &[&str] = &[
    "alg",
    "bluetooth",
    "caif",
    "can_bcm",
    "can_isotp",
    "can_raw",
    "hci",
    "hidp",
    "ieee802154-raw",
    "iucv",
    "kcm",
    "key",
    "l2cap",
    "l2tp/ip",
    "nfc",
    "pptp",
    "qipcrtr",
    "rds",
    "rfcomm",
    "rxrpc",
    "sco",
    "sctp",
    "sctpv6",
    "smc",
    "smc6",
    "tipc",
    "x25",
    "xdp",
];

/// All words, kinds first.
pub(super) fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = ALL.iter().map(|k| k.name).collect();
    for group in ALL.iter().flat_map(|k| k.groups).chain(OTHER_PROTOCOLS) {
        if !words.contains(group) {
            words.push(group);
        }
    }
    words
}

/// Checks one word of `--kind`.
pub(super) fn parse(word: &str) -> Result<String, String> {
    let words = words();
    if words.contains(&word) {
        return Ok(word.to_owned());
    }
    let kinds: Vec<&str> = ALL.iter().map(|k| k.name).collect();
    Err(match nearest(word, words) {
        Some(nearest) => format!("there is no kind '{word}'; did you mean '{nearest}'?"),
        None => format!("there is no kind '{word}'; kinds are {}", kinds.join(", ")),
    })
}
