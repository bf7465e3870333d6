//! The parts of a listing and of a gauge, each by itself: time and allocations a call.
//!
//! Where the time of a whole listing goes is mostly the kernel's: `peers` measures that.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use fdscope::commands::list_fields;
use fdscope::kind::{self, Borrowed, FdInfo, FileStat, NoLookup, Probe, Shape};
use fdscope::listener::Gauge;
use fdscope::model::{
    AcceptQueue, Assoc, Column, Device, Endpoint, Family, Fd, FdNum, Inode, Pid, Process, Socket, Tally,
};
use fdscope::query::Where;
use fdscope::render::{Batch, Format, Renderer, Style, Writer};
use fdscope::sock::{Diag, Entry, Tables};
use fdscope::sys;
use rustix::fd::{AsFd as _, AsRawFd as _};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::num::NonZero;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

// Counts allocations too: an fd should cost none but its name.
#[global_allocator]
static ALLOC: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// What the kernel says of an fd of some kind.
struct Sample {
    kind: &'static str,
    link: &'static [u8],
    info: &'static [u8],
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind)
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        kind: "regular",
        link: b"/usr/lib/x86_64-linux-gnu/libc.so.6",
        info: b"pos:\t832\nflags:\t02100000\nmnt_id:\t27\nino:\t4711\n",
    },
    Sample { kind: "pipe", link: b"pipe:[81250]", info: b"pos:\t0\nflags:\t02000000\nmnt_id:\t14\nino:\t81250\n" },
    Sample { kind: "tcp", link: b"socket:[81251]", info: b"pos:\t0\nflags:\t02004002\nmnt_id:\t9\nino:\t81251\n" },
    Sample {
        kind: "eventfd",
        link: b"anon_inode:[eventfd]",
        info: b"pos:\t0\nflags:\t02004002\nmnt_id:\t16\nino:\t1057\neventfd-count:                7\neventfd-id: 12\neventfd-semaphore: 0\n",
    },
    Sample {
        kind: "timerfd",
        link: b"anon_inode:[timerfd]",
        info: b"pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t1057\nclockid: 1\nticks: 0\nsettime flags: 00\nit_value: (3599, 999000000)\nit_interval: (3600, 0)\n",
    },
    Sample {
        kind: "inotify",
        link: b"anon_inode:inotify",
        info: b"pos:\t0\nflags:\t02000000\nmnt_id:\t16\nino:\t1057\ninotify wd:1 ino:2 sdev:fe00000 mask:400 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:0200000000000000\n",
    },
    Sample {
        kind: "epoll",
        link: b"anon_inode:[eventpoll]",
        info: b"pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t1057\n\
            tfd:        5 events:       19 data:                5  pos:0 ino:13d62 sdev:e\n\
            tfd:        7 events: 80000019 data:                7  pos:0 ino:13d63 sdev:8\n\
            tfd:        8 events:       19 data:                8  pos:0 ino:421 sdev:f\n\
            tfd:        9 events:       19 data:                9  pos:0 ino:421 sdev:f\n",
    },
];

fn process() -> Arc<Process> {
    Arc::new(Process {
        pid: Pid(4242),
        command: b"nginx".to_vec(),
        uid: 33,
        user: Some("www-data".to_owned()),
    })
}

fn socket() -> Socket {
    Socket {
        local: Some(Endpoint(([127, 0, 0, 1], 8080).into())),
        remote: Some(Endpoint(([127, 0, 0, 1], 51234).into())),
        state: Some("established"),
        recv_queue: Some(0),
        send_queue: Some(0),
        ..Socket::new(Inode(81251), Family::Tcp)
    }
}

impl Sample {
    /// As the scan makes a row, but for what it asks of the kernel.
    fn decode(&self, socket: &Socket, values: bool, row: &mut Fd) {
        row.reset(Assoc::Fd(FdNum(6)));
        let shape = Shape::of(self.link);
        let probe = Probe {
            stat: matches!(shape, Shape::Path(_)).then_some(FILE),
            socket: shape.socket().map(|_| socket),
            info: FdInfo::parse(self.info),
            borrowed: Borrowed { queued: Some(0), capacity: Some(65536), ..Borrowed::default() },
            values,
            ..Probe::new(Some(FdNum(6)), self.link, &NoLookup)
        };
        let kind = kind::claim(&probe);
        debug_assert_eq!(kind.name, self.kind);
        row.kind = kind.name.into();
        row.object = kind.object;
        row.link.extend_from_slice(probe.link);
        row.flags = probe.info.flags;
        row.access = row.flags.map(|f| f.access());
        row.pos = probe.info.pos;
        row.inode = probe.info.inode;
        (kind.decode)(&probe, row);
    }

    fn row(&self) -> Fd {
        let process = process();
        let mut row = Fd::new(process);
        self.decode(&socket(), true, &mut row);
        row
    }
}

const FILE: FileStat = FileStat {
    mode: libc::S_IFREG | 0o644,
    inode: Inode(4711),
    device: Device { major: 254, minor: 0 },
    rdev: Device { major: 0, minor: 0 },
    size: Some(1_922_136),
    links: Some(1),
    mount: None,
};

#[divan::bench(args = SAMPLES)]
fn fdinfo(bencher: Bencher, sample: &Sample) {
    bencher.bench(|| FdInfo::parse(black_box(sample.info)));
}

#[divan::bench(args = SAMPLES)]
fn shape(bencher: Bencher, sample: &Sample) {
    bencher.bench(|| Shape::of(black_box(sample.link)).sort());
}

/// The claim, the parsing of fdinfo, and NAME.
#[divan::bench(args = SAMPLES)]
fn name(bencher: Bencher, sample: &Sample) {
    decode(bencher, sample, false);
}

/// The same with the kind's own fields.
#[divan::bench(args = SAMPLES)]
fn name_and_values(bencher: Bencher, sample: &Sample) {
    decode(bencher, sample, true);
}

fn decode(bencher: Bencher, sample: &Sample, values: bool) {
    let (process, socket) = (process(), socket());
    let mut row = Fd::new(process);
    bencher.bench_local(|| {
        black_box(sample).decode(&socket, values, &mut row);
        black_box(&row);
    });
}

const LINES: usize = 1000;

/// A table of `/proc/PID/net`, from the file's opening to the last socket.
#[divan::bench(args = ["tcp", "unix"])]
fn net_table(bencher: Bencher, name: &str) {
    let net = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("net-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&net).expect("cargo's folder for this is writable");
    let mut file = std::fs::File::create(net.join(name)).expect("as above");
    let mut text = b"heading\n".to_vec();
    for i in 1..=LINES {
        let line = match name {
            "tcp" => writeln!(
                text,
                "{i:4}: 0100007F:{:04X} 0100007F:1F90 01 00000000:00000000 00:00000000 00000000    33        0 {i} 1 00000000025627f0 20 4 30 10 -1",
                i % 65536
            ),
            _ => writeln!(
                text,
                "00000000c4f3b81d: 00000003 00000000 00000000 0001 03 {i:5} /run/example/{i}.sock"
            ),
        };
        line.expect("memory takes it");
    }
    file.write_all(&text).expect("as above");
    let protocol: &[u8] = if name == "tcp" { b"TCP" } else { b"UNIX-STREAM" };
    // One that is not there, so that the whole table is read.
    bencher.counter(ItemsCount::new(LINES)).bench(|| {
        Tables::new(Entry::Tables, net.clone(), false).find(Inode(u64::MAX), || Some(protocol.to_vec()))
    });
    std::fs::remove_dir_all(&net).expect("as above");
}

/// The columns of the default table, and of JSON.
const TABLE: &[&str] = &["pid", "command", "fd", "mode", "kind", "name"];
const JSON: &[&str] = &[
    "pid", "tid", "command", "user", "uid", "fd", "assoc", "access", "kind", "flags", "pos", "inode",
    "device", "name", "path", "deleted",
];

fn renderer(format: Format) -> Renderer<Fd> {
    let names = if format == Format::Table { TABLE } else { JSON };
    let all = list_fields();
    let column = |name: &&str| all.iter().copied().find(|c| c.field.name == *name);
    let columns: Vec<Column<Fd>> = names.iter().filter_map(column).collect();
    let style = Style { format, header: true, color: false, terminal: false };
    Renderer::new(style, "list", columns, format != Format::Table)
}

/// Rows to text; a table is also laid out.
#[divan::bench(args = [Format::Table, Format::Json, Format::Jsonl, Format::Tsv])]
fn render(bencher: Bencher, format: Format) {
    let rows: Vec<Fd> = SAMPLES.iter().cycle().take(LINES).map(Sample::row).collect();
    let renderer = renderer(format);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        out.clear();
        let mut batch = Batch::default();
        rows.iter().for_each(|row| renderer.push(&mut batch, row));
        let mut writer = Writer::new(&renderer, &mut out);
        writer.write(&batch).and_then(|()| writer.finish(Tally::default())).expect("memory takes it");
    });
}

const EXPRESSIONS: &[&str] =
    &["pid == 1", "kind == 'tcp' && tcp.recv_queue > 0", "name.matches('libc') || path.endsWith('.so')"];

#[divan::bench(args = EXPRESSIONS)]
fn compile(expression: &str) -> Option<Where<Fd>> {
    Where::compile(expression, &list_fields()).ok()
}

#[divan::bench(args = EXPRESSIONS)]
fn evaluate(bencher: Bencher, expression: &str) {
    let rows: Vec<Fd> = SAMPLES.iter().cycle().take(LINES).map(Sample::row).collect();
    let query = Where::compile(expression, &list_fields()).expect("it is right");
    let evaluator = query.evaluator();
    bencher
        .counter(ItemsCount::new(LINES))
        .bench_local(|| rows.iter().filter(|row| evaluator.matches(black_box(row))).count());
}

/// What a look at a queue costs, of our own TCP listener and of others' listeners. Dumps pass over
/// all sockets of the network namespace that the benchmark runs in.
#[divan::bench(args = ["tcp_info", "tcp_info and drops", "unix_listener", "tcp_listeners_on", "tcp_listeners"])]
fn queue(bencher: Bencher, how: &str) {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback is there");
    let port = tcp.local_addr().map_or(0, |address| address.port());
    let port = NonZero::new(port).expect("a bound socket has a port");
    let dir = tempfile::tempdir().expect("there is room for a socket");
    let unix = UnixListener::bind(dir.path().join("socket")).expect("as above");
    let link = std::fs::read_link(format!("/proc/self/fd/{}", unix.as_raw_fd())).expect("it is open");
    let digits: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let inode = Inode(digits.parse().expect("a socket's link has its inode"));
    let mut diag = Diag::open().expect("the kernel has sock_diag");
    bencher.bench_local(|| match how {
        "tcp_info" => sys::tcp_info(tcp.as_fd()).is_ok(),
        "tcp_info and drops" => sys::tcp_info(tcp.as_fd()).is_ok() && sys::socket_drops(tcp.as_fd()).is_ok(),
        "unix_listener" => diag.unix_listener(inode).is_ok_and(|found| found.is_some()),
        "tcp_listeners_on" => diag.tcp_listeners_on(port).is_ok_and(|found| found.len() == 1),
        _ => diag.tcp_listeners().is_ok_and(|found| !found.is_empty()),
    });
}

/// What a reading makes of the gauge, and whether that is worth telling.
#[divan::bench]
fn gauge(bencher: Bencher) {
    let queue = |waiting| AcceptQueue { waiting, max: Some(128), drops: Some(0) };
    let now = Instant::now();
    let mut gauge = Gauge::new(queue(0), true, now);
    let mut waiting = 0;
    bencher.bench_local(|| {
        waiting = (waiting + 1) % 130;
        gauge.read(black_box(queue(waiting)), now);
        (gauge.has_changed(), gauge.has_dropped())
    });
}

/// Threads that wait in calls, to be looked at.
mod threads {
    use divan::Bencher;
    use fdscope::model::Pid;
    use fdscope::proc::{ProcRoot, ProcessDir, System, ThreadReader, threads_of};
    use rustix::event::{PollFd, PollFlags, poll};
    use std::sync::mpsc::channel;

    fn system() -> System {
        System::new(ProcRoot::from_env(), false)
    }

    fn own(system: &System) -> ProcessDir {
        ProcessDir::open(system.root(), Pid(std::process::id() as i32), system).unwrap()
    }

    /// A thread that waits in this for good; it has the time that it takes to get there.
    fn waiter(wait: impl FnOnce() + Send + 'static) -> Pid {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            sender.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
            wait();
        });
        let tid = receiver.recv().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        Pid(tid)
    }

    fn parks() {
        loop {
            std::thread::park();
        }
    }

    /// So many fds, none of which is ever ready.
    fn polls(fds: usize) {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let mut entries: Vec<PollFd<'_>> = (0..fds).map(|_| PollFd::new(&reader, PollFlags::IN)).collect();
        poll(&mut entries, None).unwrap();
    }

    fn look(bencher: Bencher<'_, '_>, tid: Pid, glance: bool) {
        let system = system();
        let dir = own(&system);
        let mut reader = ThreadReader::new(&system, &dir).unwrap();
        bencher.bench_local(|| if glance { reader.glance(tid).unwrap() } else { reader.read(tid).unwrap() });
    }

    #[divan::bench]
    fn one_in_a_futex(bencher: Bencher<'_, '_>) {
        look(bencher, waiter(parks), false);
    }

    #[divan::bench]
    fn one_in_a_futex_glanced_at(bencher: Bencher<'_, '_>) {
        look(bencher, waiter(parks), true);
    }

    #[divan::bench(args = [1, 100, 10_000])]
    fn one_in_poll(bencher: Bencher<'_, '_>, fds: usize) {
        look(bencher, waiter(move || polls(fds)), false);
    }

    #[divan::bench]
    fn when_one_last_ran(bencher: Bencher<'_, '_>) {
        let tid = waiter(parks);
        let system = system();
        let dir = own(&system);
        let mut reader = ThreadReader::new(&system, &dir).unwrap();
        let thread = reader.read(tid).unwrap();
        bencher.bench_local(|| reader.ran(&thread));
    }

    #[divan::bench(args = [1000], sample_count = 20)]
    fn all_of(bencher: Bencher<'_, '_>, count: usize) {
        for _ in 0..count {
            std::thread::spawn(parks);
        }
        let system = system();
        let dir = own(&system);
        bencher.bench_local(|| threads_of(&system, &dir).unwrap().len());
    }
}
