//! What the limits of this process leave, and what would allow more.

use std::fs;

/// How many fds are open; `unknown` where that is not told.
pub(super) fn open_fds(unknown: u64) -> u64 {
    fs::read_dir("/proc/self/fd").map_or(unknown, |fds| fds.count() as u64)
}

/// What would raise the nofile limit so far.
pub(super) fn nofile_remedy(new: u64) -> String {
    let nr_open = fs::read_to_string("/proc/sys/fs/nr_open").ok();
    remedy(new, nr_open.and_then(|text| text.trim().parse().ok()))
}

/// No limit of a process may be above `fs.nr_open`, whoever sets it.
fn remedy(new: u64, nr_open: Option<u64>) -> String {
    let first = match nr_open {
        Some(nr_open) if new > nr_open => format!("sysctl fs.nr_open={new} && "),
        _ => String::new(),
    };
    format!("as root, '{first}prlimit --pid $$ --nofile={new}:{new}' raises it for this shell")
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn beyond_nr_open_that_is_raised_first() {
        let prlimit = "prlimit --pid $$ --nofile=1000001:1000001' raises it for this shell";
        for nr_open in [None, Some(1_000_001), Some(2_000_000)] {
            assert_eq!(remedy(1_000_001, nr_open), format!("as root, '{prlimit}"), "{nr_open:?}");
        }
        let both = format!("as root, 'sysctl fs.nr_open=1000001 && {prlimit}");
        assert_eq!(remedy(1_000_001, Some(1_000_000)), both);
    }
}
