//! Programs that a machine may lack.

use std::path::Path;

/// Whether a program is there; says what is skipped if not.
pub(crate) fn is_installed(name: &str, program: impl AsRef<Path>) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|folder| folder.join(&program).is_file());
    if !there {
        eprintln!("skipped: {name}, because it is not installed");
    }
    there
}
