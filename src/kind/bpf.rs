//! BPF objects: `bpf(2)`.

use super::{BpfObject, Kind, Probe, Shape};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

const FIELDS: &[Field] = &[
    Field::new("bpf.object", Type::String, "map, prog, link, btf, iter or token"),
    Field::new("bpf.type", Type::String, "type of the map, program or link"),
    Field::new("bpf.id", Type::Integer, "its id, as bpftool shows it"),
    Field::new("bpf.name", Type::String, "its name (asking for it needs CAP_SYS_ADMIN or CAP_BPF)"),
    Field::new("bpf.tag", Type::String, "tag of the program: a digest of its instructions"),
    Field::new("bpf.max_entries", Type::Integer, "most entries of a map"),
    Field::new("bpf.memory", Type::Size, "memory that it takes"),
];

const COMMON: Kind =
    Kind { groups: &["bpf"], object: "bpf", fields: FIELDS, needs_info: true, decode, ..Kind::DEFAULT };

pub(super) static MAP: Kind =
    Kind { name: "bpf-map", help: "a BPF map", quiet_poll: true, claim: |p| p.is_anon(b"bpf-map"), ..COMMON };

pub(super) static PROG: Kind =
    Kind { name: "bpf-prog", help: "a BPF program", claim: |p| p.is_anon(b"bpf-prog"), ..COMMON };

pub(super) static LINK: Kind = Kind {
    name: "bpf-link",
    help: "an attached BPF program",
    claim: |p| p.is_anon(b"bpf_link") || p.is_anon(b"bpf-link"),
    ..COMMON
};

pub(super) static OTHER: Kind = Kind {
    name: "bpf",
    help: "another BPF object: btf, iterator, token",
    claim: |p| matches!(p.shape, Shape::Anon(c) if c.starts_with(b"bpf") || c == b"btf"),
    ..COMMON
};

/// `enum bpf_map_type`, in its order.
const MAP_TYPES: &[&str] = &[
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
    "insn_array",
];

/// `enum bpf_prog_type`, in its order.
const PROG_TYPES: &[&str] = &[
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
];

fn type_name(names: &[&str], number: u64) -> String {
    names.get(number as usize).map_or_else(|| format!("type {number}"), |&n| n.to_owned())
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Shape::Anon(class) = probe.shape else { return };
    let info = &probe.info;
    let (object, type_, id, nameable) = match class {
        b"bpf-map" => (
            "map",
            info.decimal("map_type").map(|n| type_name(MAP_TYPES, n)),
            info.decimal("map_id"),
            Some(BpfObject::Map),
        ),
        b"bpf-prog" => (
            "prog",
            info.decimal("prog_type").map(|n| type_name(PROG_TYPES, n)),
            info.decimal("prog_id"),
            Some(BpfObject::Prog),
        ),
        b"bpf_link" | b"bpf-link" => (
            "link",
            info.get("link_type").map(|t| String::from_utf8_lossy(t).into_owned()),
            info.decimal("link_id"),
            None,
        ),
        b"btf" => ("btf", None, info.decimal("btf_id"), None),
        b"bpf_iter" => ("iter", None, None, None),
        b"bpf-token" => ("token", None, None, None),
        _ => ("unknown", None, None, None),
    };
    let name = nameable
        .zip(id)
        .and_then(|(object, id)| probe.lookup.bpf_name(object, id as u32))
        .filter(|n| !n.is_empty());
    fd.name.extend_from_slice(object.as_bytes());
    if let Some(id) = id {
        drop(write!(fd.name, " {id}"));
    }
    if let Some(t) = &type_ {
        drop(write!(fd.name, " {t}"));
    }
    if let Some(n) = &name {
        drop(write!(fd.name, " {n}"));
    }
    if probe.values {
        fd.put("object", object);
        fd.put_some("type", type_);
        fd.put_some("id", id);
        fd.put_some("name", name);
        fd.put_some("tag", info.get("prog_tag"));
        fd.put_some("max_entries", info.decimal("max_entries"));
        fd.put_some("memory", info.decimal("memlock"));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    #[test]
    fn map_prog_and_link() {
        let map = Fixture {
            link: b"anon_inode:bpf-map",
            info: b"map_type:\t27\nmax_entries:\t16\nmemlock:\t2320\nmap_id:\t25\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!((map.kind.as_ref(), name(&map)), ("bpf-map", "map 25 ringbuf"));
        let prog = Fixture {
            link: b"anon_inode:bpf-prog",
            info: b"prog_type:\t99\nprog_tag:\ta5b1\nprog_id:\t7\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&prog), "prog 7 type 99");
        assert_eq!(value(&prog, "tag"), &Value::Text(b"a5b1".to_vec()));
        let link = Fixture {
            link: b"anon_inode:bpf_link",
            info: b"link_type:\txdp\nlink_id:\t3\nprog_id:\t7\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!((link.kind.as_ref(), name(&link)), ("bpf-link", "link 3 xdp"));
    }
}
