//! What this kernel can't make, decoded from a made-up /proc.

use crate::support::{FakeProc, difference};
use serde_json::{Value, json};

/// `list --json` of one fd with this link and fdinfo.
fn record(link: &[u8], info: &str) -> Value {
    let fake = FakeProc::new();
    fake.process(77, b"fake").fd(5, link, info);
    let mut records = fake.fdscope("list 77").records();
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

#[track_caller]
fn check(link: &str, info: &str, expected: Value) {
    let record = record(link.as_bytes(), info);
    assert_eq!(difference(&expected, Some(&record)), Vec::<String>::new(), "{record}");
}

#[test]
fn what_is_common_comes_from_fdinfo() {
    let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let info = format!("pos:\t12\nflags:\t0{flags:o}\nmnt_id:\t15\nino:\t99\n");
    let expected = json!({
        "pid": 77, "command": "fake", "fd": 5, "assoc": "fd", "access": "rw", "flags": ["nonblock", "cloexec"],
        "pos": 12, "inode": 99,
    });
    check("anon_inode:[whatever]", &info, expected);
}

#[test]
fn unknown_flags_are_hexadecimal() {
    let info = format!("pos:\t0\nflags:\t0{:o}\n", (1u64 << 40) | libc::O_WRONLY as u64);
    let expected = json!({"access": "w", "flags": ["0x10000000000"]});
    check("anon_inode:[whatever]", &info, expected);
}

#[test]
fn an_unknown_class_shows_what_the_kernel_says() {
    let info = "pos:\t0\nflags:\t02\nmnt_id:\t1\nino:\t2\nwidgets:\t7\ncolour:\tblue\n";
    let expected = json!({
        "kind": "anon_inode", "name": "something-new: widgets 7, colour blue",
        "anon_inode": {"class": "something-new", "info": ["widgets: 7", "colour: blue"]},
    });
    check("anon_inode:[something-new]", info, expected);
    check("anon_inode:kvm-vm", "", json!({"kind": "anon_inode", "anon_inode": {"class": "kvm-vm"}}));
}

#[test]
fn a_link_like_no_other_is_shown_as_it_is() {
    let expected = json!({
        "kind": "other", "name": "martian:<7>: hue green", "other": {"info": ["hue: green"]},
    });
    check("martian:<7>", "pos:\t0\nhue:\tgreen\n", expected);
}

#[test]
fn dmabuf() {
    let info = "pos:\t0\nflags:\t02\nsize:\t8294400\ncount:\t3\nexp_name:\tdrm\nname:\tframe\n";
    let expected = json!({
        "kind": "dmabuf", "name": "frame 7.9M by drm", "path": {"$absent": true},
        "dmabuf": {"name": "frame", "size": 8_294_400, "exporter": "drm"},
    });
    check("/dmabuf:frame", info, expected);
}

#[test]
fn an_eventfd_counts_in_hexadecimal() {
    let info =
        "pos:\t0\nflags:\t04002\neventfd-count:               1f\neventfd-id: 7\neventfd-semaphore: 1\n";
    check("anon_inode:[eventfd]", info, json!({"eventfd": {"count": 31, "id": 7, "semaphore": true}}));
    // A kernel before 5.2 has the count alone.
    let expected = json!({"eventfd": {"count": 2, "id": {"$absent": true}, "semaphore": {"$absent": true}}});
    check("anon_inode:[eventfd]", "flags:\t02\neventfd-count:                2\n", expected);
}

#[test]
fn epoll_without_the_live_process() {
    let fake = FakeProc::new();
    fake.process(77, b"fake").fd(3, "socket:[41]", "flags:\t02\n").fd(4, "pipe:[42]", "flags:\t00\n").fd(
        5,
        "anon_inode:[eventpoll]",
        "flags:\t02\n\
            tfd:        3 events: c0000019 data: ffffffffffffffff  pos:0 ino:29 sdev:9\n\
            tfd:        4 events: 4 data:                4  pos:0 ino:99 sdev:9\n\
            tfd:        6 events: 10000001 data:                6  pos:0 ino:1 sdev:9\n",
    );
    let records = fake.fdscope("list 77:5").records();
    let watch = |fd, events: &[&str], data: u64, stale| json!({"fd": fd, "events": events, "data": data, "stale": stale});
    let watched = [
        watch(3, &["in", "et", "oneshot"], u64::MAX, false),
        watch(4, &["out"], 4, true),
        watch(6, &["in", "exclusive"], 6, true),
    ];
    let expected = json!([{"kind": "epoll", "epoll": {"watches": 3, "stale": 2, "watched": watched}}]);
    assert_eq!(difference(&expected, Some(&json!(records))), Vec::<String>::new(), "{records:?}");
}

#[test]
fn timerfd_of_an_alarm_clock() {
    let info = "pos:\t0\nflags:\t02\nclockid: 9\nticks: 2\nsettime flags: 01\nit_value: (90, 500000000)\n\
                it_interval: (0, 250000000)\n";
    let expected = json!({
        "kind": "timerfd", "name": "boottime-alarm, due in 1 min 30 s, every 250 ms, 2 unread",
        "timerfd": {"clock": "boottime-alarm", "armed": true, "remaining": 90.5, "interval": 0.25, "ticks": 2,
                    "absolute": true},
    });
    check("anon_inode:[timerfd]", info, expected);
}

#[test]
fn pidfds_before_and_after_linux_6_9() {
    for link in ["anon_inode:[pidfd]", "pidfd:[4026]"] {
        let expected = json!({"kind": "pidfd", "name": "process has ended", "pidfd": {"pid": -1}});
        check(link, "Pid:\t-1\nNSpid:\t-1\n", expected);
    }
    check("anon_inode:[pidfd]", "Pid:\t77\n", json!({"pidfd": {"pid": 77, "command": "fake"}}));
    check("anon_inode:[pidfd]", "Pid:\t0\n", json!({"name": "process in another pid namespace"}));
}

#[test]
fn bpf_objects() {
    let info = "flags:\t02\nlink_type:\txdp\nlink_id:\t3\nprog_id:\t7\n";
    let expected = json!({
        "kind": "bpf-link", "name": "link 3 xdp", "bpf": {"object": "link", "type": "xdp", "id": 3},
    });
    check("anon_inode:bpf_link", info, expected);
    check("anon_inode:btf", "btf_id:\t9\n", json!({"kind": "bpf", "name": "btf 9", "bpf": {"id": 9}}));
}

#[test]
fn io_uring_counters_wrap() {
    let info = "SqMask:\t0x7\nSqHead:\t4294967295\nSqTail:\t1\nCqMask:\t0xf\nCqHead:\t3\nCqTail:\t5\n\
                SqThread:\t42\nUserFiles:\t2\nUserBufs:\t1\n";
    let fields = json!({
        "sq_entries": 8, "sq_pending": 2, "cq_entries": 16, "cq_pending": 2, "sq_thread": 42, "files": 2,
        "buffers": 1,
    });
    check("anon_inode:[io_uring]", info, json!({"kind": "io_uring", "io_uring": fields}));
}

#[test]
fn inotify_with_unknown_bits() {
    let info = "inotify wd:1 ino:2a sdev:800001 mask:88000102 ignored_mask:0 fhandle-bytes:8 \
                fhandle-type:1 f_handle:2a00000000000000\n";
    let watch = json!({
        "wd": 1, "events": ["modify", "create", "oneshot", "0x8000000"], "inode": 42, "device": "8:1",
        "path": {"$absent": true},
    });
    check("anon_inode:inotify", info, json!({"inotify": {"watches": 1, "watched": [watch]}}));
}

#[test]
fn sockets_from_the_tables_of_the_process() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"server");
    let inodes: [u32; 7] = [101, 102, 103, 104, 105, 106, 107];
    for (i, inode) in inodes.into_iter().enumerate() {
        process.fd(i as u32, format!("socket:[{inode}]"), "flags:\t02\n");
    }
    let little = cfg!(target_endian = "little");
    let (v4, v6) = match little {
        true => ("0100007F", "00000000000000000000000001000000"),
        false => ("7F000001", "00000000000000000000000000000001"),
    };
    let any6 = "0".repeat(32);
    let inet = |local: &str, remote: &str, state, queues, inode, rest| {
        format!(
            "head\n   0: {local} {remote} {state} {queues} 00:00000000 00000000  0 0 {inode} 2 0 {rest}\n"
        )
    };
    process
        .write(
            "net/tcp",
            inet(&format!("{v4}:0050"), &format!("{v4}:1F90"), "06", "00000007:0000000C", 101, ""),
        )
        .write("net/tcp6", inet(&format!("{v6}:0050"), &format!("{any6}:0000"), "0A", "0:3", 102, ""))
        .write("net/udp", inet(&format!("{v4}:0035"), "00000000:0000", "07", "0:0", 103, "5"))
        .write("net/icmp6", inet(&format!("{any6}:004E"), &format!("{any6}:0000"), "07", "0:0", 104, "0"))
        .write("net/unix", "head\n0000000000000000: 00000002 00000000 00010000 0005 01   105 /run/a b\n")
        .write("net/netlink", "head\n0 9  5 00000003 20 0 0 2 4 106 \n")
        .write("net/packet", "head\n0 3 2 88cc 0 1 40 0 107  \n");
    let mut records = fake.fdscope("list 77").records();
    // Only the real /proc is in order.
    records.sort_by_key(|r| r["fd"].as_i64());
    let expected = json!([
        {"kind": "tcp", "tcp": {"local": "127.0.0.1:80", "remote": "127.0.0.1:8080", "remote_port": 8080,
            "state": "time-wait", "send_queue": 7, "recv_queue": 12}},
        {"kind": "tcp6", "name": "[::1]:80 listen, queue 3", "tcp": {"local": "[::1]:80", "remote": {"$absent": true}}},
        {"kind": "udp", "name": "127.0.0.1:53 unconnected, 5 dropped", "udp": {"drops": 5}},
        {"kind": "ping6", "ping": {"local": "[::]:78"}},
        {"kind": "unix", "unix": {"type": "seqpacket", "path": "/run/a b", "state": "listen"}},
        {"kind": "netlink", "netlink": {"protocol": "audit", "port_id": 5, "groups": 3, "recv_queue": 20,
            "drops": 4}},
        {"kind": "packet", "packet": {"type": "dgram", "protocol": "lldp", "interface": "*", "recv_queue": 40}},
    ]);
    assert_eq!(difference(&expected, Some(&json!(records))), Vec::<String>::new(), "{records:#?}");
}

#[test]
fn a_socket_of_no_table_is_still_a_row() {
    check(
        "socket:[9]",
        "flags:\t02\n",
        json!({"kind": "socket", "name": "protocol not known", "access": "rw"}),
    );
}

#[test]
fn a_path_that_leads_nowhere_is_still_a_row() {
    let link = "/no/such/place/file";
    check(link, "pos:\t3\nflags:\t01\n", json!({"access": "w", "pos": 3, "name": {"$holds": link}}));
}

#[test]
fn fdinfo_that_makes_no_sense_does_no_harm() {
    for info in ["", "\n\n", "pos\nflags:\n", "tfd:\ntfd: x events: y\n", "eventfd-count: zz\n"] {
        for link in ["anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[timerfd]", "pipe:[1]"] {
            record(link.as_bytes(), info);
        }
    }
}

#[test]
fn an_fd_without_fdinfo_has_vanished() {
    let fake = FakeProc::new();
    fake.process(77, b"fake").fd(5, "anon_inode:[eventfd]", "").fd(6, "anon_inode:[eventfd]", "flags:\t02\n");
    std::fs::remove_file(fake.path().join("77/fdinfo/5")).unwrap();
    let document = fake.fdscope("list --json").ok().json();
    let expected = json!({"complete": true, "vanished": 1, "denied": 0, "records": [{"fd": 6}]});
    assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new(), "{document}");
}

#[test]
fn limits_of_a_made_up_process() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    process.fd(0, "/dev/null", "").fd(1, "/dev/null", "");
    process.write(
        "limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n\
         Max cpu time              10                   unlimited            seconds   \n\
         Max file size             unlimited            unlimited            bytes     \n\
         Max data size             unlimited            unlimited            bytes     \n\
         Max stack size            8388608              unlimited            bytes     \n\
         Max core file size        0                    unlimited            bytes     \n\
         Max resident set          unlimited            unlimited            bytes     \n\
         Max processes             30                   40                   processes \n\
         Max open files            8                    4096                 files     \n\
         Max locked memory         65536                65536                bytes     \n\
         Max address space         4194304              unlimited            bytes     \n\
         Max file locks            unlimited            unlimited            locks     \n\
         Max pending signals       100                  100                  signals   \n\
         Max msgqueue size         819200               819200               bytes     \n\
         Max nice priority         0                    0                    \n\
         Max realtime priority     0                    0                    \n\
         Max realtime timeout      unlimited            unlimited            us        \n",
    );
    let records = fake.fdscope("limits 77").records();
    let find = |name: &str| records.iter().find(|r| r["limit"] == name);
    let check = |name, expected: Value| {
        assert_eq!(difference(&expected, find(name)), Vec::<String>::new(), "{:?}", find(name));
    };
    check("nofile", json!({"soft": 8, "hard": 4096, "unit": "fds", "used": 2, "percent": 25.0}));
    check("nproc", json!({"soft": 30, "hard": 40, "unit": "threads", "used": 3, "percent": 10.0}));
    check("as", json!({"soft": 4_194_304, "hard": null, "used": 1_048_576, "percent": 25.0}));
    check("cpu", json!({"soft": 10, "hard": null, "unit": "seconds"}));
    check("msgqueue", json!({"soft": 819_200, "used": null, "percent": null}));
}
