//! Processes for fdscope to look at: this test binary once more, holding what an exhibit opens.

use super::Fdscope;
use super::compare::difference;
use super::ended::Ended;
use super::keeper::Keeper;
use super::raw::confine;
use crate::exhibits::{KINDS, OTHERS};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use tempfile::TempDir;

/// Names the exhibit, in the helper's environment.
const EXHIBIT: &str = "FDSCOPE_TEST_EXHIBIT";

/// A helper that outlives its test by an accident ends by this.
const SECONDS: u32 = 120;

/// A running helper.
pub(crate) struct Helper {
    child: Ended,
    /// Its end is the helper's end.
    _stdin: ChildStdin,
    /// Its working directory.
    dir: TempDir,
    /// What it knows of what it holds: parts of `list` records.
    pub(crate) facts: Vec<Value>,
    /// Other things that it told.
    pub(crate) told: Value,
    skipped: bool,
}

impl Helper {
    /// Starts a helper with what the exhibit opens.
    pub(crate) fn start(exhibit: &str) -> Self {
        Self::start_with(exhibit, |_| {})
    }

    /// Starts one, its command changed first.
    pub(crate) fn start_with(exhibit: &str, change: impl FnOnce(&mut Command)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(std::env::current_exe().expect("our own path"));
        command
            .args(["support::helper::process", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(EXHIBIT, exhibit)
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        confine(&mut command, SECONDS);
        change(&mut command);
        let mut child = Ended(command.spawn().expect("the helper starts"));
        let stdin = child.stdin.take().expect("it was piped");
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let mut helper =
            Self { child, _stdin: stdin, dir, facts: Vec::new(), told: json!({}), skipped: false };
        for line in &mut lines {
            let line = line.expect("the helper writes text");
            match line.split_once(' ') {
                Some(("FACT", fact)) => helper.facts.push(serde_json::from_str(fact).unwrap()),
                Some(("TOLD", told)) => helper.told = serde_json::from_str(told).unwrap(),
                Some(("SKIP", reason)) => {
                    eprintln!("skipped: {exhibit}: {reason}");
                    helper.skipped = true;
                }
                _ if line == "READY" => {
                    // Nothing more comes; the pipe stays open so that the helper is not told so.
                    std::mem::forget(lines);
                    return helper;
                }
                _ => {}
            }
        }
        panic!("the helper '{exhibit}' ended: {:?}", helper.child.wait());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends it, and leaves it a zombie.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        let pid = rustix::process::Pid::from_child(&self.child);
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), options).expect("it is our child");
    }

    /// The fact that its exhibit gave this name.
    pub(crate) fn fact(&self, name: &str) -> &Value {
        self.facts.iter().find(|f| f["$name"] == name).unwrap_or_else(|| panic!("no fact '{name}'"))
    }

    /// Its fd of this name.
    pub(crate) fn fd(&self, name: &str) -> i64 {
        self.fact(name)["fd"].as_i64().expect("fds are numbers")
    }

    /// `fdscope list PID`, and more arguments.
    pub(crate) fn list(&self, arguments: &str) -> Fdscope {
        Fdscope::new(format!("list {} {arguments}", self.pid()))
    }

    /// Whether the exhibit could not be made on this machine.
    pub(crate) fn was_skipped(&self) -> bool {
        self.skipped
    }
}

/// Starts a helper with an exhibit, and holds `list --json` to what the helper knows.
pub(crate) fn run_exhibit(exhibit: &str) {
    let helper = Helper::start(exhibit);
    assert!(helper.was_skipped() || !helper.facts.is_empty(), "{exhibit} shows nothing");
    let run = helper.list("--json").ok();
    let records = run.records();
    let mut wrong = String::new();
    for fact in &helper.facts {
        let record = records.iter().find(|r| r["fd"] == fact["fd"]);
        let mut expected = fact.clone();
        expected.as_object_mut().expect("facts are objects").remove("$name");
        for line in difference(&expected, record) {
            wrong.push_str(&format!("fd {} ({}){line}\n", fact["fd"], fact["$name"]));
        }
    }
    if !wrong.is_empty() {
        run.fail(&wrong);
    }
}

/// What the helper runs; nothing in an ordinary run of the tests.
#[test]
#[ignore = "it is the helper of the other tests, which start it"]
fn process() {
    let Some(name) = std::env::var_os(EXHIBIT) else { return };
    // The process is called as its first thread is, which is not this one.
    std::fs::write("/proc/self/comm", "helper").expect("a name");
    // Where Yama restricts tracing to parents, fdscope is none.
    let any = [libc::PR_SET_PTRACER as usize, libc::PR_SET_PTRACER_ANY as usize, 0, 0, 0, 0];
    let _ = super::call(libc::SYS_prctl, any);
    let exhibit = KINDS.iter().chain(OTHERS).copied().flatten().find(|(n, _)| *n == name);
    let (_, open) = exhibit.unwrap_or_else(|| panic!("no exhibit {name:?}"));
    let mut keeper = Keeper::new();
    let result = open(&mut keeper);
    // The harness may have begun a line.
    let mut out = std::io::stdout().lock();
    writeln!(out).unwrap();
    for fact in &keeper.facts {
        writeln!(out, "FACT {fact}").unwrap();
    }
    writeln!(out, "TOLD {}", keeper.told).unwrap();
    if let Err(skip) = result {
        writeln!(out, "SKIP {}", skip.0).unwrap();
    }
    writeln!(out, "READY").unwrap();
    drop(out);
    let _ = std::io::stdin().read(&mut [0]);
    // Not through what the harness does at the end of a test.
    std::process::exit(0);
}
