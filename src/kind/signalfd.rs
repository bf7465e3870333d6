//! Signals as readable events: `signalfd(2)`.

use super::{Kind, Probe};
use crate::model::{Fd, Field, Type, Value};

pub(super) static KIND: Kind = Kind {
    name: "signalfd",
    help: "signals to be read",
    object: "signalfd",
    fields: &[Field::new("signalfd.signals", Type::List, "the signals that it accepts, by name")],
    needs_info: true,
    can_block: true,
    claim: |p| p.is_anon(b"signalfd"),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let mask = probe.info.hex("sigmask").unwrap_or_default();
    let names: Vec<String> = (1..=64).filter(|n| mask & (1 << (n - 1)) != 0).map(signal).collect();
    match names.len() {
        0 => fd.name.extend_from_slice(b"no signals"),
        62.. => fd.name.extend_from_slice(b"all signals"),
        _ => fd.name.extend_from_slice(names.join(" ").as_bytes()),
    }
    if probe.values {
        fd.put("signals", Value::texts(names));
    }
}

/// `signal(7)`, real-time signals as `kill(1)` counts them: the C library keeps the first ones for
/// itself, and they have no names.
fn signal(number: i32) -> String {
    let rtmin = libc::SIGRTMIN();
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) if number < rtmin => number.to_string(),
        Err(_) if number == rtmin => "RTMIN".to_owned(),
        Err(_) => format!("RTMIN+{}", number - rtmin),
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    #[test]
    fn signals_by_name() {
        let fd = Fixture {
            link: b"anon_inode:[signalfd]",
            info: b"pos:\t0\nflags:\t02\nsigmask:\t0000000a80004002\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "INT TERM 32 RTMIN RTMIN+2");
        let Value::List(list) = value(&fd, "signals") else { panic!() };
        assert_eq!(list.len(), 5);
    }
}
