//! `--path` where a name is not enough: other mount namespaces, dead servers, paths that are too long.

use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, needs, own_mounts};
use nix::mount::{MsFlags, mount};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::net::UnixListener;

listed! { "path": elsewhere long escaped }

/// In a mount namespace of its own: a filesystem of its own where there is an empty directory outside, and
/// a directory that is mounted a second time.
fn elsewhere(keeper: &mut Keeper) -> Result<(), Skip> {
    if std::env::var_os("FDSCOPE_TEST_MOVED").is_none() {
        for name in ["hidden", "volume", "data"] {
            std::fs::create_dir(keeper.path(name)).unwrap();
        }
    }
    own_mounts()?;
    let (hidden, volume, data) = (keeper.path("hidden"), keeper.path("volume"), keeper.path("data"));
    let none = None::<&str>;
    needs(mount(Some("none"), hidden.as_str(), Some("tmpfs"), MsFlags::empty(), none), "a tmpfs")?;
    needs(mount(Some(volume.as_str()), data.as_str(), none, MsFlags::MS_BIND, none), "a bind mount")?;
    keeper.show("other", File::create(keeper.path("hidden/f")).unwrap(), json!({}));
    keeper.show("socket", UnixListener::bind(keeper.path("hidden/s")).unwrap(), json!({}));
    keeper.show("log", File::create(keeper.path("data/log")).unwrap(), json!({}));
    keeper.show("gone", File::create(keeper.path("data/gone")).unwrap(), json!({}));
    std::fs::remove_file(keeper.path("data/gone")).unwrap();
    Ok(())
}

/// Files whose paths are longer than a link of /proc can tell, on a filesystem of their own.
fn long(keeper: &mut Keeper) -> Result<(), Skip> {
    own_mounts()?;
    let dir = keeper.path("deep");
    std::fs::create_dir_all(&dir).unwrap();
    let none = None::<&str>;
    needs(mount(Some("none"), dir.as_str(), Some("tmpfs"), MsFlags::empty(), none), "a tmpfs")?;
    std::env::set_current_dir(&dir).unwrap();
    std::fs::create_dir("top").unwrap();
    std::env::set_current_dir("top").unwrap();
    for _ in 0..25 {
        std::fs::create_dir("l".repeat(200)).unwrap();
        std::env::set_current_dir("l".repeat(200)).unwrap();
    }
    keeper.show("there", File::create("there").unwrap(), json!({"kind": "error"}));
    keeper.show("unlinked", File::create("unlinked").unwrap(), json!({"kind": "error"}));
    std::fs::remove_file("unlinked").unwrap();
    std::env::set_current_dir("/").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    keeper.told["port"] = listener.local_addr().unwrap().port().into();
    keeper.keep(listener);
    Ok(())
}

/// Maps files with a newline in the name, and with what /proc writes for one.
fn escaped(keeper: &mut Keeper) -> Result<(), Skip> {
    for name in ["new\nline", "lit\\012eral"] {
        let path = keeper.path(name);
        let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
        file.set_len(4096).unwrap();
        #[allow(unsafe_code)]
        // SAFETY: the kernel chooses an address where nothing is, and nobody uses the memory.
        unsafe { mmap(std::ptr::null_mut(), 4096, ProtFlags::READ, MapFlags::SHARED, &file, 0) }.unwrap();
    }
    Ok(())
}

/// Which of these fds a search finds.
fn found(helper: &Helper, path: &str, names: &[&str]) -> Vec<String> {
    let search = Fdscope::new(format!("list {} --json --path {path}", helper.pid()));
    let run = search.run();
    let records = run.records();
    let is_there = |name: &&&str| records.iter().any(|r| r["fd"] == helper.fd(name));
    let found: Vec<String> = names.iter().filter(is_there).map(|n| (*n).to_owned()).collect();
    run.check(i32::from(records.is_empty()), "");
    found
}

#[test]
fn a_name_of_another_mount_namespace_is_another_file() {
    let helper = Helper::start("path::elsewhere");
    if helper.was_skipped() {
        return;
    }
    let dir = helper.dir().to_str().unwrap();
    let all = ["other", "socket", "log", "gone"];
    let find = |path: &str| found(&helper, &format!("{dir}/{path}"), &all);
    assert!(find("hidden").is_empty());
    assert!(find("hidden/f").is_empty());
    assert!(find("hidden/s").is_empty());
    assert!(find("data").is_empty(), "outside nothing is mounted there");
    assert_eq!(find("volume"), ["log", "gone"]);
    assert_eq!(find("volume/log"), ["log"]);
    assert_eq!(find("volume/gone"), ["gone"]);
    // Through the process itself, the names are its own.
    let find = |path: &str| found(&helper, &format!("/proc/{}/root{dir}/{path}", helper.pid()), &all);
    assert_eq!(find("hidden/f"), ["other"]);
    assert_eq!(find("data"), ["log", "gone"]);
    assert!(find("hidden").contains(&"other".to_owned()));
}

#[test]
fn a_path_that_is_too_long_is_not_lost() {
    let helper = Helper::start("path::long");
    if helper.was_skipped() {
        return;
    }
    let (there, unlinked) = (helper.fd("there"), helper.fd("unlinked"));
    let fds = |records: &[Value]| records.iter().map(|r| r["fd"].as_i64().unwrap()).collect::<Vec<_>>();
    let root = format!("/proc/{}/root{}/deep", helper.pid(), helper.dir().display());
    let run = helper.list(&format!("--json --path {root}")).ok();
    assert_eq!(fds(&run.records()), [there, unlinked]);
    assert_eq!(run.json()["complete"], true);
    assert_eq!(run.records()[0]["inode"], helper.fact("there")["inode"]);
    let run = helper.list("--json --deleted").ok();
    assert_eq!(fds(&run.records()), [unlinked]);
    // Whether it is below another directory of that filesystem, nobody can tell.
    let note = "2 files could not be compared: the path is longer than the kernel tells";
    let run = helper.list(&format!("--json --path {root}/top")).run();
    run.check(1, note);
    assert_eq!((&run.json()["complete"], &run.json()["denied"]), (&json!(false), &json!(2)));
    helper.list("--json --path /dev/null").run().check(1, "");
    let run = Fdscope::new(format!("sockets :{} --json", helper.told["port"])).run();
    assert!(!run.stderr().contains("name too long"), "{}", run.stderr());
}

#[test]
fn who_else_holds_what_an_fd_is() {
    let helper = Helper::start("selecting::mixed");
    let path = |name: &str| format!("/proc/{}/fd/{}", helper.pid(), helper.fd(name));
    let all = ["gone", "dirt", "dir/below", "directory"];
    assert_eq!(found(&helper, &path("gone"), &all), ["gone"]);
    assert_eq!(found(&helper, &path("dirt"), &all), ["dirt"]);
    assert_eq!(found(&helper, &path("directory"), &all), ["dir/below", "directory"]);
    // Another file has its name now.
    let again = helper.dir().join("gone");
    File::create(again).unwrap();
    assert_eq!(found(&helper, &path("gone"), &all), ["gone"]);
}

#[test]
fn a_path_needs_no_proc_of_its_own() {
    let helper = Helper::start("selecting::mixed");
    let tree = tempfile::tempdir().unwrap();
    // The proc filesystem is elsewhere, and nothing is where it usually is.
    let script = "mount -t proc none \"$0\" && mount -t tmpfs none /proc && exec \"$@\"";
    let words = ["unshare", "--mount", "sh", "-c", script, tree.path().to_str().unwrap()];
    let possible = std::process::Command::new(words[0]).args(&words[1..]).arg("true").status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a proc filesystem elsewhere, because unshare(1) and mount(8) cannot make it");
        return;
    }
    let search = Fdscope::through(&words, format!("list {} --json --path", helper.pid()));
    let run = search.arg(helper.dir().join("dirt")).env("FDSCOPE_PROC", tree.path()).ok();
    let fds: Vec<_> = run.records().iter().map(|r| r["fd"].clone()).collect();
    assert_eq!(fds, [json!(helper.fd("dirt"))]);
}

#[test]
fn a_mapped_name_is_what_it_is() {
    let helper = Helper::start("path::escaped");
    let records = helper.list("--mappings --json --where assoc=='mem'").ok().records();
    for name in ["new\nline", "lit\\012eral"] {
        let path = helper.dir().join(name);
        // JSON of names doubles their backslashes, and has newlines as they are.
        let path = path.to_str().unwrap().replace('\\', "\\\\");
        assert!(records.iter().any(|r| r["path"] == path.as_str()), "{path:?} in {records:?}");
    }
}
