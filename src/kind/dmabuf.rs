//! Buffers shared between devices: dma-buf.

use super::{Kind, ShapeKind};
use crate::model::{Field, Type, bytes};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "dmabuf",
    help: "a buffer shared between devices",
    shape: ShapeKind::Path,
    pathless: true,
    object: "dmabuf",
    fields: &[
        Field::new("dmabuf.name", Type::String, "the name it was given"),
        Field::new("dmabuf.size", Type::Size, "its size"),
        Field::new("dmabuf.exporter", Type::String, "the driver that made it"),
    ],
    needs_info: true,
    claim: |p| p.link.starts_with(b"/dmabuf:"),
    decode: |p, fd| {
        let size = p.info.decimal("size");
        let exporter = p.info.get("exp_name").unwrap_or_default();
        let name = p.info.get("name").or_else(|| p.path().strip_prefix(b"/dmabuf:"));
        fd.name.extend_from_slice(name.unwrap_or_default());
        drop(write!(fd.name, " {} by ", bytes(size.unwrap_or(0))));
        fd.name.extend_from_slice(exporter);
        if p.values {
            fd.put_some("name", name);
            fd.put_some("size", size);
            fd.put("exporter", exporter);
        }
    },
    ..Kind::DEFAULT
};

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};

    #[test]
    fn from_fdinfo() {
        let fd = Fixture {
            link: b"/dmabuf:frame",
            info: b"pos:\t0\nflags:\t02\nsize:\t8192\ncount:\t2\nexp_name:\ti915\nname:\tframe\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!((fd.kind.as_ref(), name(&fd)), ("dmabuf", "frame 8K by i915"));
    }
}
