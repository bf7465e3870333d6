//! Performance counters: `perf_event_open(2)`.

use super::Kind;

pub(super) static KIND: Kind = Kind {
    name: "perf_event",
    help: "a performance counter",
    claim: |p| p.is_anon(b"perf_event"),
    decode: |_, fd| fd.name.extend_from_slice(b"performance counter"),
    ..Kind::DEFAULT
};
