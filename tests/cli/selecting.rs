//! Options that select rows.

use crate::exhibits::listed;
use crate::support::{
    Fdscope, Helper, Keeper, NOBODY, Run, Skip, difference, needs, numbers, run_as, sorted,
};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

listed! { "selecting": mixed holds mapped sockets }

/// Unix sockets that are bound by names which are not those of their files.
fn sockets(keeper: &mut Keeper) -> Result<(), Skip> {
    std::fs::create_dir(keeper.path("real")).unwrap();
    std::os::unix::fs::symlink("real", keeper.path("link")).unwrap();
    let linked = UnixListener::bind(keeper.path("link/linked")).unwrap();
    keeper.show("linked", linked, json!({}));
    // The helper is in its directory.
    keeper.show("relative", UnixListener::bind("real/relative").unwrap(), json!({}));
    keeper.show("other", UnixListener::bind("other").unwrap(), json!({}));
    Ok(())
}

/// One of many kinds.
fn mixed(keeper: &mut Keeper) -> Result<(), Skip> {
    let nothing = json!({});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    keeper.told["port"] = listener.local_addr().unwrap().port().into();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    keeper.told["client"] = client.local_addr().unwrap().port().into();
    keeper.show("listener", listener, nothing.clone());
    keeper.show("client", client, nothing.clone());
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        keeper.told["port6"] = listener.local_addr().unwrap().port().into();
        keeper.show("listener6", listener, nothing.clone());
    }
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    keeper.told["udp"] = udp.local_addr().unwrap().port().into();
    keeper.show("udp", udp, nothing.clone());
    let unix = UnixListener::bind(keeper.path("socket")).unwrap();
    keeper.show("unix", unix, nothing.clone());
    let counter = rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).unwrap();
    keeper.show("eventfd", counter, nothing.clone());
    std::fs::create_dir(keeper.path("dir")).unwrap();
    keeper.show("directory", File::open(keeper.path("dir")).unwrap(), nothing.clone());
    for name in ["dir/below", "dirt", "gone"] {
        keeper.show(name, File::create_new(keeper.path(name)).unwrap(), nothing.clone());
    }
    std::fs::remove_file(keeper.path("gone")).unwrap();
    keeper.show("null", File::open("/dev/null").unwrap(), nothing);
    Ok(())
}

/// Holds files without an fd: as working directory, and, in a child, as program.
fn holds(keeper: &mut Keeper) -> Result<(), Skip> {
    let (dir, program) = (keeper.path("cwd"), keeper.path("program"));
    std::fs::create_dir(&dir).unwrap();
    std::fs::copy("/bin/sleep", &program).unwrap();
    let child = Command::new(&program).arg("100").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let child = needs(child, "programs in the temporary directory")?;
    keeper.told["child"] = child.id().into();
    std::fs::remove_file(program).unwrap();
    std::env::set_current_dir(&dir).unwrap();
    keeper.keep(child);
    Ok(())
}

/// Maps three files, and closes their fds.
fn mapped(keeper: &mut Keeper) -> Result<(), Skip> {
    for (name, protection, flags) in [
        ("mapped", ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED),
        ("private", ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE),
        ("gone", ProtFlags::READ, MapFlags::SHARED),
    ] {
        let path = keeper.path(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        file.set_len(4096).unwrap();
        #[allow(unsafe_code)]
        // SAFETY: the kernel chooses an address where nothing is, and nobody uses the memory.
        unsafe { mmap(std::ptr::null_mut(), 4096, protection, flags, &file, 0) }.unwrap();
    }
    std::fs::remove_file(keeper.path("gone")).unwrap();
    Ok(())
}

/// The names of the facts whose fds are listed; an fd that is in no fact by its number.
fn names(helper: &Helper, records: &[Value]) -> BTreeSet<String> {
    let name = |record: &Value| {
        let fact = helper.facts.iter().find(|f| f["fd"] == record["fd"]);
        fact.map_or_else(|| record["fd"].to_string(), |f| f["$name"].as_str().unwrap().to_owned())
    };
    records.iter().map(name).collect()
}

#[track_caller]
fn selects(helper: &Helper, arguments: &str, expected: &[&str]) {
    let six = helper.told.get("port6").is_some();
    let expected = expected.iter().filter(|n| six || !n.ends_with('6')).map(|n| (*n).to_owned()).collect();
    let run = helper.list(&format!("--json --fd 3- {arguments}")).run();
    let found: BTreeSet<String> = names(helper, &run.records());
    if found != expected {
        run.fail(&format!("{arguments}: expected {expected:?}, got {found:?}"));
    }
    run.check(i32::from(expected.is_empty()), "");
}

#[test]
fn by_kind_and_group() {
    let helper = Helper::start("selecting::mixed");
    selects(&helper, "--kind eventfd", &["eventfd"]);
    selects(&helper, "--kind tcp", &["listener", "client", "listener6"]);
    selects(&helper, "--kind tcp6", &["listener6"]);
    selects(&helper, "--kind inet", &["listener", "client", "listener6", "udp"]);
    selects(&helper, "--kind socket", &["listener", "client", "listener6", "udp", "unix"]);
    selects(&helper, "--kind file", &["dir/below", "dirt", "gone"]);
    selects(&helper, "--kind dir,udp", &["directory", "udp"]);
    selects(&helper, "--kind device --kind unix", &["null", "unix"]);
    selects(&helper, "--kind io_uring", &[]);
}

#[test]
fn a_kind_that_does_not_exist() {
    Fdscope::new("list self --kind evntfd").run().check(2, "did you mean 'eventfd'?").prints("");
    Fdscope::new("list self --kind qqqq").run().check(2, "kinds are pipe, ").prints("");
    // A protocol that has no kind of its own is a word too.
    Fdscope::new("list self --kind sctp").run().check(1, "").prints("");
}

#[test]
fn by_number() {
    let helper = Helper::start("selecting::mixed");
    let (a, b) = (helper.fd("udp"), helper.fd("null"));
    let run = helper.list(&format!("--fd {b},{a} --json")).ok();
    assert_eq!(names(&helper, &run.records()), ["null", "udp"].map(str::to_owned).into());
    // Both must hold.
    let run = Fdscope::new(format!("list {}:{a} --fd {b} --json", helper.pid())).run();
    assert_eq!(run.check(1, "").records(), [] as [Value; 0]);
    helper.list("--fd 5-3").run().check(2, "backwards");
}

#[test]
fn by_port() {
    let helper = Helper::start("selecting::mixed");
    let port = |name: &str| helper.told[name].to_string();
    selects(&helper, &format!("--port {}", port("client")), &["client"]);
    selects(&helper, &format!("--port {},{}", port("udp"), port("port")), &["listener", "udp"]);
    if helper.told.get("port6").is_some() {
        selects(&helper, &format!("--port {}", port("port6")), &["listener6"]);
    }
    helper.list("--port 0").run().check(1, "").prints("");
    helper.list("--port 65536").run().check(2, "a port is a number from 0 to 65535");
    helper.list("--port abc").run().check(2, "a port is a number from 0 to 65535");
}

#[test]
fn by_path() {
    let helper = Helper::start("selecting::mixed");
    let dir = helper.dir().to_str().unwrap().to_owned();
    selects(&helper, &format!("--path {dir}/dirt"), &["dirt"]);
    // All below, but not what only starts like it.
    selects(&helper, &format!("--path {dir}/dir"), &["directory", "dir/below"]);
    selects(&helper, &format!("--path {dir}/dir/"), &["directory", "dir/below"]);
    selects(&helper, &format!("--path {dir}/gone"), &["gone"]);
    selects(&helper, &format!("--path {dir}/socket"), &["unix"]);
    selects(&helper, &format!("--path {dir}"), &["directory", "dir/below", "dirt", "gone", "unix"]);
    selects(&helper, &format!("--path {dir}/never"), &[]);
    selects(&helper, "--path /dev/null", &["null"]);
}

/// A file is found by what it is, not by the name it is asked for.
#[test]
fn by_another_name_of_the_file() {
    let helper = Helper::start("selecting::mixed");
    let dir = helper.dir();
    std::os::unix::fs::symlink("dirt", dir.join("link")).unwrap();
    std::fs::hard_link(dir.join("dirt"), dir.join("hard")).unwrap();
    selects(&helper, &format!("--path {}/link", dir.display()), &["dirt"]);
    selects(&helper, &format!("--path {}/hard", dir.display()), &["dirt"]);
    // Relative ones are from the working directory.
    let run = helper.list("--fd 3- --json --path dirt").in_directory(dir).ok();
    assert_eq!(names(&helper, &run.records()), ["dirt".to_owned()].into());
    // A file that has the name of a deleted one now is another file; both are told.
    std::fs::write(dir.join("gone"), "").unwrap();
    selects(&helper, &format!("--path {}/gone", dir.display()), &["gone"]);
}

fn holders(run: &Run) -> Vec<(i64, String)> {
    sorted(
        run.records().iter().map(|r| (r["pid"].as_i64().unwrap(), r["assoc"].as_str().unwrap().to_owned())),
    )
}

#[test]
fn unix_sockets_by_all_names_of_their_files() {
    let helper = Helper::start("selecting::sockets");
    let dir = helper.dir().display();
    for name in ["linked", "relative"] {
        for way in ["real", "link"] {
            selects(&helper, &format!("--path {dir}/{way}/{name}"), &[name]);
        }
    }
    selects(&helper, &format!("--path {dir}/real"), &["linked", "relative"]);
    selects(&helper, &format!("--path {dir}/link"), &["linked", "relative"]);
    selects(&helper, &format!("--path {dir}"), &["linked", "relative", "other"]);
    // Another file has the name now.
    std::fs::remove_file(helper.dir().join("real/relative")).unwrap();
    std::fs::File::create(helper.dir().join("real/relative")).unwrap();
    selects(&helper, &format!("--path {dir}/real"), &["linked"]);
}

#[test]
fn a_path_is_found_however_it_is_held() {
    let helper = Helper::start("selecting::holds");
    if helper.was_skipped() {
        return;
    }
    let (pid, child) = (i64::from(helper.pid()), helper.told["child"].as_i64().unwrap());
    let of = |pid: i64, how: &str| (pid, how.to_owned());
    let search = |path: &str| Fdscope::new("list --json --quiet --path").arg(helper.dir().join(path)).run();
    assert_eq!(holders(&search("cwd")), [of(pid, "cwd")]);
    assert_eq!(holders(&search("program")), sorted([of(child, "exe"), of(child, "mem")]));
    let deleted = Fdscope::new(format!("list {child} --deleted --json")).ok();
    assert_eq!(holders(&deleted), sorted([of(child, "exe"), of(child, "mem")]));
    assert!(deleted.records().iter().all(|r| r["deleted"] == true));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child as i32), nix::sys::signal::SIGKILL).unwrap();
}

#[test]
fn mapped_files_keep_a_path_busy() {
    let helper = Helper::start("selecting::mapped");
    let found = |path: &str| helper.list("--json --path").arg(helper.dir().join(path)).ok().records();
    let mapped = found("mapped");
    assert_eq!(mapped.len(), 1, "{mapped:?}");
    assert_eq!((&mapped[0]["assoc"], &mapped[0]["access"]), (&json!("mem"), &json!("rw")));
    // Writes to a private mapping do not reach the file.
    assert_eq!(found("private")[0]["access"], "r");
    let deleted = helper.list("--deleted --json").ok().records();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    // Its size takes a privilege to know.
    let path = helper.dir().join("gone");
    let name = format!("{} (deleted", path.to_str().unwrap());
    let expected = json!({"assoc": "mem", "path": path.to_str(), "deleted": true, "name": {"$holds": name}});
    assert_eq!(difference(&expected, Some(&deleted[0])), Vec::<String>::new());
}

#[test]
fn deleted_files() {
    let helper = Helper::start("selecting::mixed");
    selects(&helper, "--deleted", &["gone"]);
    let helper = Helper::start("files::called_deleted");
    selects(&helper, "--deleted", &["gone"]);
    // Memory looks deleted, and is not.
    let helper = Helper::start("memory::strange_memfds");
    selects(&helper, "--deleted --kind file", &[]);
}

#[test]
fn by_user() {
    let helper = Helper::start("events::eventfd_kinds");
    let own = rustix::process::geteuid().as_raw();
    assert_eq!(helper.list(&format!("--user {own}")).records().len(), numbers(helper.pid()).len());
    helper.list(&format!("--user {}", own + 1)).run().check(1, "").prints("");
    helper.list("--user no-such-user-here").run().check(2, "there is no user 'no-such-user-here'");
    if own == 0 {
        assert_eq!(helper.list("--user root").records().len(), numbers(helper.pid()).len());
        let other = Helper::start_with("targets::nothing", |c| run_as(c, NOBODY));
        let run = Fdscope::new(format!("list --quiet --pids --user {NOBODY}")).ok();
        let pids = run.lines();
        assert!(pids.contains(&other.pid().to_string()), "{pids:?}");
        assert!(!pids.contains(&helper.pid().to_string()), "{pids:?}");
    } else {
        eprintln!("skipped: another user's process, because only root can make one");
    }
}

#[test]
fn counts() {
    let helper = Helper::start("pipes::pipe");
    let records = helper.list("--count --kind pipe,regular --fd 3-").records();
    let expected = json!({"pid": helper.pid(), "command": records[0]["command"], "kind": "pipe", "count": 3});
    assert_eq!(records, [expected]);
    let all: u64 = helper.list("--count").records().iter().map(|r| r["count"].as_u64().unwrap()).sum();
    assert_eq!(all, numbers(helper.pid()).len() as u64);
    helper.list("--count --columns fd").run().check(2, "cannot be used with");
}

#[test]
fn pids_alone() {
    let (one, two) = (Helper::start("events::eventfd_kinds"), Helper::start("pipes::pipe"));
    let targets = format!("list {} {} --pids --kind eventfd", one.pid(), two.pid());
    Fdscope::new(&targets).ok().prints(&format!("{}\n", one.pid()));
    assert_eq!(Fdscope::new(format!("{targets} --json")).ok().records(), [json!({"pid": one.pid()})]);
    Fdscope::new(format!("{targets} --kind io_uring --fd 900")).run().check(1, "").prints("");
}
