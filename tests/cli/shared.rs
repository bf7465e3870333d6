//! `list --shared`: which fds are one open file description.

use crate::exhibits::listed;
use crate::support::{
    FakeProc, Fdscope, Helper, Keeper, NOBODY, Run, Skip, difference, forbid, needs, numbers, pass, run_as,
    run_as_other, sorted,
};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Seek as _, SeekFrom};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

listed! { "shared": alone inherited }

/// Many eventfds have one inode.
const EVENTFDS: usize = 100;

/// What one process can share with itself, and what only looks like it.
fn alone(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("file");
    let open = |path: &str, flags| rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).unwrap();
    let link = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let mut show = |name: &str, fd: OwnedFd| keeper.show(name, fd, json!({}));
    let copy = |fd: &OwnedFd| fd.try_clone().unwrap();

    let mut file = File::from(open(&path, OFlags::RDWR | OFlags::CREATE));
    file.set_len(4096).unwrap();
    file.seek(SeekFrom::Start(1234)).unwrap();
    let file = OwnedFd::from(file);
    show("file copy", rustix::io::dup(&file).unwrap());
    show("file sent", send(&file));
    show("file", file);
    show("same file", open(&path, OFlags::RDWR));

    let (reader, writer) = rustix::pipe::pipe().unwrap();
    show("pipe reader, reopened", open(&link(&reader), OFlags::RDONLY));
    show("pipe reader copy", copy(&reader));
    show("pipe reader", reader);
    show("pipe writer", writer);

    let socket = OwnedFd::from(UnixStream::pair().unwrap().0);
    show("socket as a place", open(&link(&socket), OFlags::PATH));
    show("socket copy", copy(&socket));
    show("socket", socket);

    let counters: Vec<OwnedFd> = (0..EVENTFDS).map(|_| eventfd(0, EventfdFlags::empty()).unwrap()).collect();
    show("counter copy", copy(&counters[EVENTFDS / 2]));
    for (i, counter) in counters.into_iter().enumerate() {
        show(&format!("counter {i}"), counter);
    }
    Ok(())
}

/// What comes of an fd that is sent through a socket.
fn send(fd: &OwnedFd) -> OwnedFd {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut buffer = SendAncillaryBuffer::new(&mut space);
    let fds = [fd.as_fd()];
    assert!(buffer.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(&ours, &[IoSlice::new(b"x")], &mut buffer, SendFlags::empty()).unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut buffer = RecvAncillaryBuffer::new(&mut space);
    recvmsg(&theirs, &mut [IoSliceMut::new(&mut [0])], &mut buffer, RecvFlags::CMSG_CLOEXEC).unwrap();
    let received = buffer.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    received.expect("it was sent")
}

/// A listener and its worker, a child, which has it as fd 1, and ends with us.
fn inherited(keeper: &mut Keeper) -> Result<(), Skip> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    keeper.told["port"] = listener.local_addr().unwrap().port().into();
    let mut worker = Command::new("cat");
    worker.stdin(Stdio::piped()).stdout(OwnedFd::from(listener.try_clone().unwrap()));
    let worker = needs(worker.spawn(), "cat")?;
    keeper.told["worker"] = worker.id().into();
    keeper.show("listener", listener, json!({}));
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    keeper.show("own listener", other, json!({}));
    keeper.keep(worker);
    Ok(())
}

/// The groups of a listing, by number.
fn groups(records: &[Value]) -> BTreeMap<u64, Vec<&Value>> {
    let mut groups = BTreeMap::<u64, Vec<&Value>>::new();
    for record in records {
        groups.entry(record["shared"].as_u64().expect("a number")).or_default().push(record);
    }
    groups
}

/// The groups of a helper's own fds, by the names that it gave them.
fn named(helper: &Helper, records: &[Value]) -> Vec<Vec<String>> {
    let name = |record: &&Value| {
        assert_eq!(record["pid"], helper.pid(), "nobody else has it: {record}");
        let fact = helper.facts.iter().find(|f| f["fd"] == record["fd"]).expect("an fd that it told of");
        fact["$name"].as_str().unwrap().to_owned()
    };
    groups(records).values().map(|group| sorted(group.iter().map(name))).collect()
}

fn shared(helper: &Helper, arguments: &str) -> Fdscope {
    helper.list(&format!("--shared --quiet {arguments}"))
}

/// `dup(2)` and `SCM_RIGHTS` share; to open again does not, whatever is the same about it.
#[test]
fn within_a_process() {
    let helper = Helper::start("shared::alone");
    let records = shared(&helper, "--fd 3-").records();
    let expected = [
        &["file", "file copy", "file sent"][..],
        &["pipe reader", "pipe reader copy"],
        &["socket", "socket copy"],
        &["counter 50", "counter copy"],
    ];
    assert_eq!(named(&helper, &records), expected);
    let numbers: Vec<u64> = records.iter().map(|r| r["shared"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 1, 1, 2, 2, 3, 3, 4, 4], "one behind the other");
    assert!(records[..3].iter().all(|r| r["pos"] == 1234), "one offset: {records:?}");
}

/// A description is shown whole, if one of its fds is what was asked for.
#[test]
fn one_fd_selects_all_that_share_with_it() {
    let helper = Helper::start("shared::alone");
    let file = ["file", "file copy", "file sent"].map(str::to_owned).to_vec();
    let pipe = ["pipe reader", "pipe reader copy"].map(str::to_owned).to_vec();
    let check = |run: Fdscope, expected: &[&Vec<String>]| {
        let expected: Vec<Vec<String>> = expected.iter().map(|&group| group.clone()).collect();
        assert_eq!(named(&helper, &run.records()), expected);
    };
    let first = helper.fd("file sent");
    check(shared(&helper, &format!("--fd {first}")), &[&file]);
    check(Fdscope::new(format!("list {}:{first} --shared --quiet", helper.pid())), &[&file]);
    // Not closed by exec: what dup(2) made, and pipe(2).
    check(shared(&helper, "--where").arg("!cloexec && fd > 2 && kind == 'regular'"), &[&file]);
    check(shared(&helper, "--where").arg(format!("fd == {first} || pipe.end == 'read'")), &[&file, &pipe]);
    check(shared(&helper, "--path file").in_directory(helper.dir()), &[&file]);
    check(shared(&helper, "--fd 3- --kind pipe,regular"), &[&file, &pipe]);
    // The number can be asked for, and stays what it is then.
    let all = shared(&helper, "").records();
    let number = all.iter().find(|r| r["fd"] == first).unwrap()["shared"].clone();
    let one = shared(&helper, "--where").arg(format!("shared == {number}")).records();
    assert_eq!(named(&helper, &one), [file]);
    assert_eq!(one[0]["shared"], number);
}

#[test]
fn a_listener_that_a_worker_inherited() {
    let helper = Helper::start("shared::inherited");
    if helper.was_skipped() {
        return;
    }
    let (port, worker) = (&helper.told["port"], &helper.told["worker"]);
    let listener = helper.fd("listener");
    let expect = |run: Fdscope, expected: Value| {
        let records = run.records();
        assert_eq!(difference(&expected, Some(&json!(records))), Vec::<String>::new(), "{records:?}");
    };
    let listens = json!({"local_port": port, "state": "listen"});
    let master = json!({"shared": 1, "pid": helper.pid(), "fd": listener, "cloexec": true, "tcp": listens});
    let worker_row = json!({"shared": 1, "pid": worker, "fd": 1, "cloexec": false, "tcp": listens});
    // The target comes first.
    expect(shared(&helper, "--kind tcp"), json!([master, worker_row]));
    expect(shared(&helper, &format!("--port {port}")), json!([master, worker_row]));
    expect(Fdscope::new(format!("list {worker}:1 --shared --quiet")), json!([worker_row, master]));
    // Without a target, too, in the order of pids.
    let all = format!("list --shared --quiet --port {port}");
    expect(Fdscope::new(all), json!({"$set": [master, worker_row]}));
    let pids = sorted([helper.pid(), worker.as_u64().unwrap() as u32]);
    shared(&helper, "--kind tcp --pids").ok().prints(&format!("{}\n{}\n", pids[0], pids[1]));
    let counts = shared(&helper, "--kind tcp --count").records();
    assert_eq!(counts.iter().map(|r| &r["count"]).collect::<Vec<_>>(), [1, 1]);
    // What nobody else has is not there, and that is told by the status.
    let own = helper.fd("own listener");
    shared(&helper, &format!("--fd {own}")).run().check(1, "").prints("");
    shared(&helper, "--port 1").run().check(1, "").prints("");
}

#[test]
fn how_it_looks() {
    let helper = Helper::start("shared::alone");
    let fds = ["file copy", "file sent", "file"].map(|name| helper.fd(name));
    let (pid, path) = (helper.pid().to_string(), helper.dir().canonicalize().unwrap().join("file"));
    let (first, path) = (fds[0], path.display());
    let blank = " ".repeat(pid.len() - 3);
    let run = shared(&helper, &format!("--fd {first}")).ok();
    run.prints(&format!(
        "SHARED  {blank}PID  COMMAND  FD  MODE  CLOEXEC  KIND      POS  NAME\n     \
         1  {pid}  helper    {}  rw    no       regular  1234  {path}\n     \
         1  {pid}  helper    {}  rw    no       regular  1234  {path}\n     \
         1  {pid}  helper    {}  rw    yes      regular  1234  {path}\n",
        sorted(fds)[0],
        sorted(fds)[1],
        sorted(fds)[2],
    ));
    let tsv = shared(&helper, "--format tsv").ok().lines();
    let header =
        "shared\tpid\tcommand\tuser\tuid\tfd\tassoc\taccess\tkind\tflags\tcloexec\tpos\tinode\tdevice\tname";
    assert_eq!(tsv[0], header);
    let keys = |records: &[Value]| sorted(records[0].as_object().unwrap().keys().cloned());
    let plain = keys(&helper.list(&format!("--fd {first}")).records());
    let more = keys(&shared(&helper, &format!("--fd {first}")).records());
    assert_eq!(more, sorted([plain, vec!["cloexec".to_owned(), "shared".to_owned()]].concat()));
    let wide = shared(&helper, "--wide").ok().lines().remove(0);
    assert!(wide.starts_with("SHARED ") && wide.contains(" CLOEXEC ") && wide.matches(" POS ").count() == 1);
    // Without it there is no such number, and a question for it would never be answered.
    let reason = "fdscope: 'shared' is known only with --shared, which lists what is shared\n";
    helper.list("--where").arg("shared != null").run().check(2, reason).prints("");
    helper.list("--columns").arg("pid,shared").run().check(0, reason);
    shared(&helper, "--where").arg(format!("fd == {first} && shared != null")).ok();
}

#[test]
fn threads_with_a_table_of_their_own() {
    let helper = Helper::start("threads::own_table");
    if helper.was_skipped() {
        return;
    }
    let tid = &helper.told["apart"]["tid"];
    let records = shared(&helper, "--threads").records();
    let of_leader: Vec<&Value> = records.iter().filter(|r| r["pid"] == helper.pid()).collect();
    // The thread took copies of all that there was when it left.
    for fd in numbers(helper.pid()) {
        let tids: Vec<&Value> = of_leader.iter().filter(|r| r["fd"] == fd).map(|r| &r["tid"]).collect();
        assert_eq!(tids, [&Value::Null, tid], "{fd}");
    }
    let without = shared(&helper, "--json").run().records();
    assert!(without.iter().all(|r| r.get("tid").is_none()), "not looked for without --threads");
}

#[test]
fn many_of_one_description() {
    let helper = Helper::start("bad_input::many");
    if helper.was_skipped() {
        return;
    }
    let counts = shared(&helper, "--fd 3- --kind char --count").records();
    let own = counts.iter().find(|r| r["pid"] == helper.pid()).unwrap();
    assert_eq!(own["count"].as_u64(), Some(numbers(helper.pid()).len() as u64 - 3));
}

/// Its own fds are those that it was given, and others have them too.
#[test]
fn what_fdscope_shares_itself() {
    let file = tempfile::tempfile().unwrap();
    let copy = file.try_clone().unwrap();
    let run = Fdscope::new("list self:0 --shared --quiet --json").stdin(copy).ok();
    let records = run.records();
    assert_eq!((&records[0]["pid"], &records[0]["fd"]), (&json!(run.pid), &json!(0)));
    let ours = |r: &&Value| r["pid"] == std::process::id() && r["fd"] == file.as_raw_fd();
    assert_eq!(records.iter().filter(ours).count(), 1, "{records:?}");
    // Nobody asked for it: it is here only because it looks.
    let file = tempfile::tempfile().unwrap();
    let target = format!("list {}:{} --shared --quiet", std::process::id(), file.as_raw_fd());
    let run = Fdscope::new(target).arg("--json").stdin(file.try_clone().unwrap()).run();
    assert!(run.records().iter().all(|r| r["pid"] != run.pid));
}

/// Who may not be read may share all the same: that is told.
#[test]
fn as_somebody_who_may_not_read_all() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: processes of others, because only root can become another user");
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let helper = Helper::start_with("targets::nothing", |command| {
        pass(command, &file, 50);
        run_as(command, NOBODY);
    });
    let target = format!("list {}:50 --shared --json", helper.pid());
    let all = Fdscope::new(&target).arg("--quiet").ok().records();
    let pids: Vec<&Value> = all.iter().map(|r| &r["pid"]).collect();
    assert!(pids.contains(&&json!(helper.pid())) && pids.contains(&&json!(std::process::id())), "{pids:?}");

    let as_nobody = |arguments: &str| Fdscope::new(arguments).with(|c| run_as(c, NOBODY)).run();
    let run = as_nobody(&target);
    run.check(1, "could not be read: permission denied\n");
    run.check(1, "fdscope: what could not be read may share with them, too\n");
    let document = run.json();
    assert_eq!((&document["complete"], &document["records"]), (&json!(false), &json!([])));
    assert_ne!(document["denied"], 0);
    // A target that may not be read is an error, as ever.
    let run = as_nobody(&format!("list {} --shared", std::process::id()));
    run.check(3, "may not be read: permission denied").prints("");
}

/// Reading goes by the effective user, and comparing by the real one: where the two differ, there are
/// fds that can be read and not compared.
#[test]
fn what_may_not_be_compared_is_told() {
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: a real user that is not the effective one, because only root can become that");
        return;
    }
    let helper = Helper::start_with("events::eventfd_kinds", |c| run_as(c, NOBODY));
    let run = |arguments: String| Fdscope::new(arguments).with(|c| run_as_other(c, NOBODY - 1, NOBODY)).run();
    let told = "could not be compared: that takes the right to trace their processes\n";
    let document = run(format!("list {} --kind eventfd --json", helper.pid())).json();
    assert_eq!(document["records"].as_array().unwrap().len(), 3, "they can be read");
    let target = format!("list {}:{} --shared --json --quiet", helper.pid(), helper.fd("first"));
    let document = run(target).check(3, told).json();
    assert_eq!((&document["complete"], &document["records"]), (&json!(false), &json!([])));
    assert!(document["denied"].as_u64() >= Some(3), "the others are like it: {}", document["denied"]);
    // Nobody named them: what can be compared is shown, if there is any.
    let run = run("list --shared --json".to_owned());
    assert!(run.stderr().contains(told) && run.status() < 2, "{}", run.stderr());
    assert!(run.records().iter().all(|r| r["pid"] != helper.pid()));
}

#[test]
fn a_target_that_went_away() {
    let mut helper = Helper::start("shared::alone");
    helper.kill();
    helper.list("--shared").run().check(1, "is a zombie").prints("");
    let pid = helper.pid();
    drop(helper);
    Fdscope::new(format!("list {pid} --shared")).run().check(3, "no process has pid").prints("");
}

#[test]
fn where_nothing_can_be_compared() {
    let fake = FakeProc::new();
    fake.process(77, b"fake").fd(5, "pipe:[1]", "flags:\t02\n");
    let told = format!("takes our own pids: FDSCOPE_PROC={} is another /proc", fake.path().display());
    fake.fdscope("list 77 --shared").run().check(2, &told).prints("");
    // As in a container whose rules have no place for the call, and on a kernel without it.
    let refused = |errno| -> Run {
        Fdscope::new("list self --shared").with(|c| forbid(c, libc::SYS_kcmp, errno)).run()
    };
    refused(libc::EPERM).check(3, "kcmp(2), which is refused here").prints("");
    refused(libc::ENOSYS).check(3, "kcmp(2), which this kernel does not have").prints("");
}

#[test]
fn what_makes_no_sense() {
    for option in ["--assoc", "--mappings"] {
        let run = Fdscope::new(format!("list self --shared {option}")).run();
        run.check(2, "cannot be used with").prints("");
    }
    // These look at fds alone here.
    let run = Fdscope::new("list self --shared --quiet --deleted --path / --columns +assoc --json").run();
    assert!(run.records().iter().all(|r| r["assoc"] == "fd"));
}
