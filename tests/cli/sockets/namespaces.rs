//! Other network namespaces: found, entered, named, selected, and gone meanwhile.

use super::{absent, check, holder, holder_of, of};
use crate::exhibits::listed;
use crate::support::{
    Fdscope, Helper, Keeper, NOBODY, Skip, in_own_network, limit, needs, own_network, raise_loopback, run_as,
};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;

listed! { "sockets::namespaces": elsewhere }

/// A process in a network of its own, with a listener and clients that wait, all on loopback and on
/// whatever interfaces come.
fn elsewhere(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    needs(raise_loopback(), "a loopback interface")?;
    let listener = TcpListener::bind("0.0.0.0:7000").unwrap();
    let waiting = TcpStream::connect("127.0.0.1:7000").unwrap();
    let (pair, other) = UnixStream::pair().unwrap();
    keeper.show("waiting", waiting, json!({}));
    keeper.show("listener", listener, json!({}));
    keeper.show("pair", pair, json!({}));
    keeper.show("other", other, json!({}));
    keeper.told = json!({"netns": std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino()});
    Ok(())
}

pub(super) fn start() -> Option<Helper> {
    let helper = Helper::start("sockets::namespaces::elsewhere");
    (!helper.was_skipped()).then_some(helper)
}

pub(super) fn number(helper: &Helper) -> u64 {
    helper.told["netns"].as_u64().expect("its namespace")
}

/// Its own fd, as `owners` and `peers` have it.
fn its(helper: &Helper, name: &str) -> Value {
    holder_of(helper.pid(), helper.fd(name) as i32)
}

fn by_inode<'r>(records: &'r [Value], inode: &Value) -> &'r Value {
    let found: Vec<_> = records.iter().filter(|r| r["inode"] == *inode).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0]
}

fn fdscope(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("sockets --quiet {}", arguments.as_ref()))
}

/// Does something in the network namespace of a process.
fn within<T: Send>(pid: u32, act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let enter = || {
            let file = File::open(format!("/proc/{pid}/ns/net")).unwrap();
            setns(file.as_fd(), CloneFlags::CLONE_NEWNET).expect("it can be entered");
            act()
        };
        scope.spawn(enter).join().expect("no panic there")
    })
}

#[test]
fn another_namespace_is_shown_with_ours() {
    let Some(helper) = start() else { return };
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    let namespace = number(&helper);
    let records = fdscope("").records();
    let own = std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino();
    check(of(&records, &ours), &json!({"netns": own, "owners": [holder(&ours)]}));
    let at = |name: &str| by_inode(&records, &helper.fact(name)["inode"]);
    let expected = json!({
        "state": "listen", "local": "0.0.0.0:7000", "netns": namespace, "netns_name": absent(),
        "listener": {"waiting": 1, "max": {"$between": [1, 1e9]}}, "owners": [its(&helper, "listener")],
    });
    check(at("listener"), &expected);
    let expected = json!({
        "state": "established", "netns": namespace, "peers": [its(&helper, "listener")], "pending": true,
    });
    check(at("waiting"), &expected);
    check(at("pair"), &json!({"netns": namespace, "peers": [its(&helper, "other")]}));
    let wide = fdscope(format!("--wide --netns {}", helper.pid())).records();
    let details = json!({"source": "netlink", "tcp": {"retransmits": 0}});
    check(by_inode(&wide, &helper.fact("waiting")["inode"]), &details);
    // Ours comes first, and the table says which is which.
    let table = fdscope("--no-header --columns netns,inode").ok();
    let line = |inode: &Value| {
        let line = table.lines().into_iter().find(|l| l.ends_with(&format!(" {inode}")));
        line.unwrap_or_else(|| table.fail(&format!("no inode {inode}")))
    };
    assert!(line(&json!(super::inode(&ours))).starts_with("own "));
    assert!(line(&helper.fact("listener")["inode"]).starts_with(&format!("{namespace} ")));
    assert!(fdscope("").ok().lines()[0].starts_with("NETNS "));
}

#[test]
fn selecting() {
    let Some(helper) = start() else { return };
    let namespace = number(&helper);
    for word in [helper.pid().to_string(), namespace.to_string()] {
        let records = fdscope(format!("--netns {word} --port 7000")).records();
        assert_eq!(records.len(), 2, "{records:#?}");
        assert!(records.iter().all(|r| r["netns"] == namespace));
    }
    let both = fdscope(format!("--netns own --netns {namespace} --port 7000")).records();
    assert!(both.iter().filter(|r| r["netns"] == namespace).count() == 2);
    // It is the same for what is summed up.
    let sums = fdscope(format!("--netns {namespace} --summary --family tcp")).records();
    let expected = json!([
        {"family": "tcp", "state": "established", "sockets": 2, "without_file": 1, "recv_queue": 0, "send_queue": 0},
        {"family": "tcp", "state": "listen", "sockets": 1, "without_file": 0, "recv_queue": 1, "send_queue": 0},
    ]);
    assert_eq!(Value::from(sums), expected);
    // In one namespace there is no column for it.
    let table = fdscope(format!("--netns {namespace}")).ok();
    assert!(table.lines()[0].starts_with("FAMILY "));
}

#[test]
fn what_is_no_namespace() {
    for word in ["no-such-name", "1", "0", "4294967295", "-5x", ""] {
        // Process 1 has a namespace.
        if word == "1" {
            continue;
        }
        let run = Fdscope::new("sockets -q").arg(format!("--netns={word}")).run();
        run.check(3, "there is no such network namespace; it takes a name, an inode, a pid or 'own'")
            .prints("");
    }
}

/// The last process in it may have ended since it was named: whichever time that is, it is no panic
/// and no row of what is gone.
#[test]
fn one_that_goes_meanwhile() {
    let Some(mut helper) = start() else { return };
    let namespace = number(&helper);
    let pid = helper.pid();
    helper.kill();
    for word in [namespace, pid.into()] {
        let run = fdscope(format!("--netns {word}")).run();
        run.check(3, "there is no such network namespace").prints("");
    }
}

/// Without the privilege: what everybody may read tells less, and that is said.
#[test]
fn without_privilege() {
    let Some(helper) = start() else { return };
    let namespace = number(&helper);
    let run = Fdscope::new(format!("sockets --netns {} --wide --json", helper.pid()))
        .with(|c| run_as(c, NOBODY))
        .run();
    run.check(
        0,
        "1 network namespace could not be entered, which takes CAP_SYS_ADMIN: read from /proc/PID/net",
    );
    let records = run.records();
    let at = |name: &str| by_inode(&records, &helper.fact(name)["inode"]);
    let expected = json!({
        "state": "listen", "local": "0.0.0.0:7000", "listener": {"waiting": 1, "max": absent()}, "owners": null,
        "unowned": absent(), "netns": null, "source": "proc", "cookie": absent(),
    });
    check(at("listener"), &expected);
    check(at("waiting"), &json!({"peers": null, "pending": true, "owners": null, "tcp": absent()}));
    check(at("pair"), &json!({"state": "connected", "peers": null, "source": "proc"}));
    assert_eq!(run.json()["complete"], false);
    assert!(records.iter().all(|r| r["netns"] != namespace), "its number may not be read");
    let table = Fdscope::new(format!("sockets -q -p 7000 -l --no-header --netns {}", helper.pid()));
    let table = table.with(|c| run_as(c, NOBODY)).ok().stdout();
    assert_eq!(table.split_ascii_whitespace().collect::<Vec<_>>(), ["tcp", "1", "0.0.0.0:7000", "?"]);
}

/// Each namespace is an fd of fdscope's, which raises its own limit for them as far as it may.
#[test]
fn more_namespaces_than_fds_are_allowed_at_first() {
    let Some(helper) = start() else { return };
    let arguments = format!("--netns own --netns {} --listening --port 7000", helper.pid());
    let run = fdscope(arguments).with(|command| limit(command, libc::RLIMIT_NOFILE, 9, 4096));
    let records = run.records();
    let listener = by_inode(&records, &helper.fact("listener")["inode"]);
    check(listener, &json!({"netns": number(&helper), "owners": [its(&helper, "listener")]}));
}

/// A pair of interfaces between our network and that of the helper.
fn cable(helper: &Helper) -> Result<(), Skip> {
    let ip = |arguments: &str| {
        let run = Command::new("ip").args(arguments.split(' ')).output();
        let run = needs(run, "ip(8)")?;
        if run.status.success() {
            Ok(())
        } else {
            Err(Skip(String::from_utf8_lossy(&run.stderr).into_owned()))
        }
    };
    ip(&format!("link add near type veth peer name far netns {}", helper.pid()))?;
    ip("addr add 10.77.0.1/24 dev near")?;
    ip("link set near up")?;
    within(helper.pid(), || {
        ip("addr add 10.77.0.2/24 dev far")?;
        ip("link set far up")
    })
}

#[test]
fn other_ends_are_found_across() {
    let Some(helper) = start() else { return };
    in_own_network(|| {
        if let Err(Skip(reason)) = cable(&helper) {
            eprintln!("skipped: a connection between two network namespaces: {reason}");
            return;
        }
        let connect = |port: u16| TcpStream::connect(SocketAddr::from(([10, 77, 0, 2], port))).unwrap();
        let waiting = connect(7000);
        let listener = within(helper.pid(), || TcpListener::bind("[::]:7001").unwrap());
        let client = connect(7001);
        let (server, _) = listener.accept().unwrap();
        let datagrams = UdpSocket::bind("10.77.0.1:0").unwrap();
        datagrams.connect("10.77.0.2:53").unwrap();
        let namespace = number(&helper);
        for arguments in ["", "10.77.0.0/24", "--netns own", "--remote 10.77.0.2"] {
            let records = fdscope(arguments).records();
            let expected = json!({"peers": [holder(&server)], "owners": [holder(&client)], "pending": false});
            check(of(&records, &client), &expected);
            check(of(&records, &waiting), &json!({"peers": [its(&helper, "listener")], "pending": true}));
            check(of(&records, &datagrams), &json!({"peers": absent()}));
        }
        let arguments = format!("--netns {namespace} --remote 10.77.0.1");
        let records = fdscope(arguments).records();
        assert_eq!(records.len(), 2, "{records:#?}");
        let expected = json!({
            "family": "tcp6", "local": "[::ffff:10.77.0.2]:7001", "netns": namespace, "peers": [holder(&client)],
            "owners": [holder(&server)],
        });
        check(of(&records, &server), &expected);
        let unaccepted = records.iter().find(|r| r["inode"] == 0);
        let expected = json!({"unowned": "not-accepted", "peers": [holder(&waiting)], "pending": true});
        check(unaccepted.expect("one waits"), &expected);
    });
}

/// Runs a test where the helper's namespace has the name `blue`, as ip-netns(8) gives it: in a mount
/// namespace of a thread, so that nobody else sees it.
fn with_a_name(helper: &Helper, test: impl FnOnce() + Send) {
    let named = || match name_it(helper) {
        Ok(()) => test(),
        Err(reason) => eprintln!("skipped: the name of a network namespace: {reason}"),
    };
    std::thread::scope(|scope| scope.spawn(named).join()).unwrap();
}

#[test]
fn a_name() {
    let Some(helper) = start() else { return };
    with_a_name(&helper, || {
        let records = fdscope("--netns blue --port 7000").records();
        assert_eq!(records.len(), 2);
        assert!(records.iter().all(|r| r["netns_name"] == "blue" && r["netns"] == number(&helper)));
        let table = fdscope("--no-header --columns netns,local -p 7000").ok().stdout();
        assert!(table.lines().any(|l| l.starts_with("blue ")), "{table}");
        let run = Fdscope::new("sockets -q --netns green").run();
        run.check(3, "and those with a name are").check(3, "blue");
        // A file on which nothing is mounted is no name.
        assert!(!run.stderr().contains("left over"), "{}", run.stderr());
    });
}

/// A name keeps a namespace when nobody is in it any more.
#[test]
fn a_name_without_processes() {
    let Some(mut helper) = start() else { return };
    let pid = helper.pid();
    with_a_name(&helper, || {
        helper_ends(pid);
        for families in ["tcp,unix", "raw,ping,netlink"] {
            let run = fdscope(format!("--netns blue --family {families} --where unowned!='kernel'")).run();
            assert_eq!((run.status(), run.stderr()), (1, String::new()));
        }
        let denied = Fdscope::new("sockets --netns blue").with(|c| run_as(c, NOBODY)).run();
        denied.check(3, "the sockets of network namespace blue cannot be read: ");
        // Nobody has asked for it here.
        let all = Fdscope::new("sockets -q -l").with(|c| run_as(c, NOBODY)).run();
        assert_eq!(all.stderr(), "");
    });
    helper.kill();
}

/// Binds the name `blue` to the helper's namespace, where this thread alone sees it.
fn name_it(helper: &Helper) -> Result<(), String> {
    let none = None::<&str>;
    let told = |what: &str| format!("{what} is not to be had");
    unshare(CloneFlags::CLONE_NEWNS).map_err(|_| told("a mount namespace"))?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|_| told("a private mount"))?;
    mount(Some("none"), "/run", Some("tmpfs"), MsFlags::empty(), none).map_err(|_| told("a tmpfs"))?;
    std::fs::create_dir("/run/netns").map_err(|_| told("/run/netns"))?;
    for name in ["blue", "left over"] {
        File::create(format!("/run/netns/{name}")).map_err(|_| told("a file"))?;
    }
    let namespace = format!("/proc/{}/ns/net", helper.pid());
    mount(Some(namespace.as_str()), "/run/netns/blue", none, MsFlags::MS_BIND, none)
        .map_err(|_| told("a bind mount"))
}

/// Ends a process of ours, and waits until its fds are gone.
fn helper_ends(pid: u32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    let fds = || std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    crate::support::eventually("it has ended", || fds() == 0);
}
