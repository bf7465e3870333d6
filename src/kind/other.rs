//! What nothing else claims: shown as the kernel shows it.

use super::{Kind, ShapeKind, anon};
use crate::model::{Field, Type};

pub(super) static KIND: Kind = Kind {
    name: "other",
    help: "something else, shown as the kernel shows it",
    groups: &["unknown"],
    shape: ShapeKind::Any,
    object: "other",
    fields: &[Field::new("other.info", Type::List, "what its fdinfo says beyond the usual lines")],
    needs_info: true,
    claim: |_| true,
    decode: |p, fd| {
        fd.name.extend_from_slice(p.link);
        anon::own_lines(p, fd);
        if p.values {
            fd.put("info", anon::info(p));
        }
    },
    ..Kind::DEFAULT
};

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};

    #[test]
    fn anything_goes() {
        let fd =
            Fixture { link: b"martian:<7>", info: b"pos:\t0\nhue:\tgreen\n", ..Fixture::default() }.decode();
        assert_eq!((fd.kind.as_ref(), name(&fd)), ("other", "martian:<7>: hue green"));
    }
}
