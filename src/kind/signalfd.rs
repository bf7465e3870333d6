//! Signals as readable events: `signalfd(2)`.

use super::{Kind, Probe};
use crate::model::{Fd, Field, Type, Value, signal_names};

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
    let names = signal_names(mask);
    match names.len() {
        0 => fd.name.extend_from_slice(b"no signals"),
        62.. => fd.name.extend_from_slice(b"all signals"),
        _ => fd.name.extend_from_slice(names.join(" ").as_bytes()),
    }
    if probe.values {
        fd.put("signals", Value::texts(names));
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
