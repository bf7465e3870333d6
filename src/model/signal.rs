//! Names of signals: `signal(7)`.

/// The signals of a mask, whose lowest bit is signal 1, by name.
pub fn signal_names(mask: u64) -> Vec<String> {
    (1..=64).filter(|n| mask & (1 << (n - 1)) != 0).map(name).collect()
}

/// Without `SIG`, real-time signals as `kill(1)` counts them: the C library keeps the first ones for
/// itself, and they have no names.
fn name(number: i32) -> String {
    let rtmin = libc::SIGRTMIN();
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) if number < rtmin => number.to_string(),
        Err(_) if number == rtmin => "RTMIN".to_owned(),
        Err(_) => format!("RTMIN+{}", number - rtmin),
    }
}
