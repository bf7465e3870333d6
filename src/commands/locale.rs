//! What the environment says of the terminal.

use std::ffi::OsString;

/// Whether there is more to draw with than ASCII.
pub(super) fn is_utf8() -> bool {
    names_utf8(["LC_ALL", "LC_CTYPE", "LANG"].map(std::env::var_os))
}

/// Whether a locale, the first of these that is set, is one of UTF-8.
fn names_utf8(locale: [Option<OsString>; 3]) -> bool {
    let set = locale.into_iter().flatten().find(|value| !value.is_empty());
    let name = set.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.contains("utf-8") || name.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::names_utf8;

    #[test]
    fn the_first_that_is_set_decides() {
        let of = |values: [&str; 3]| {
            names_utf8(values.map(|value| (value != "-").then(|| std::ffi::OsString::from(value))))
        };
        assert!(of(["-", "-", "en_US.UTF-8"]));
        assert!(of(["", "C.utf8", "C"]));
        assert!(of(["de_DE.UTF-8@euro", "C", "C"]));
        assert!(!of(["C", "-", "en_US.UTF-8"]));
        assert!(!of(["-", "-", "-"]));
    }
}
