//! Event counters: `eventfd(2)`.

use super::{Kind, Probe, Tie};
use crate::model::{Fd, Field, Type, append, decimal, hex};

pub(super) static KIND: Kind = Kind {
    name: "eventfd",
    help: "an event counter",
    object: "eventfd",
    fields: &[
        Field::new("eventfd.count", Type::Integer, "the counter: readable while above 0"),
        Field::new("eventfd.id", Type::Integer, "id of the counter, the same for all fds that share it"),
        Field::new("eventfd.semaphore", Type::Bool, "whether a read takes 1 (EFD_SEMAPHORE)"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"eventfd"),
    decode,
    tie: |p| Some(p.info.decimal("eventfd-id").map_or(Tie::Elsewhere, Tie::Eventfd)),
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let (mut count, mut id, mut semaphore) = (None, None, None);
    for (key, value) in probe.info.lines() {
        match key {
            // Despite its decimal look the kernel prints the counter as %16llx.
            b"eventfd-count" => count = hex(value),
            b"eventfd-id" => id = decimal(value),
            b"eventfd-semaphore" => semaphore = decimal(value).map(|n| n != 0),
            _ => {}
        }
    }
    if let Some(count) = count {
        append!(fd.name, "count ", count);
    }
    if let Some(id) = id {
        append!(fd.name, ", id ", id);
    }
    if probe.values {
        fd.put_some("count", count);
        fd.put_some("id", id);
        fd.put_some("semaphore", semaphore);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    #[test]
    fn the_counter_is_hexadecimal() {
        let fd = Fixture {
            link: b"anon_inode:[eventfd]",
            info: b"pos:\t0\nflags:\t04002\neventfd-count:               1f\neventfd-id: 7\neventfd-semaphore: 1\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "count 31, id 7");
        assert_eq!(value(&fd, "semaphore"), &Value::Bool(true));
    }
}
