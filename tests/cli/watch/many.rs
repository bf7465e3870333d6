//! All fds of a process that has very many.

use super::{armed, fdscope, note};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, needs, number, numbers};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::event::{EventfdFlags, eventfd};

listed! { "watch::many": thousands very_many }

fn thousands(keeper: &mut Keeper) -> Result<(), Skip> {
    hold(keeper, 3000)
}

fn very_many(keeper: &mut Keeper) -> Result<(), Skip> {
    hold(keeper, 15_000)
}

fn hold(keeper: &mut Keeper, count: u64) -> Result<(), Skip> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    needs(setrlimit(Resource::RLIMIT_NOFILE, hard, hard), "setrlimit")?;
    if hard < count + 200 {
        return Err(Skip(format!("the hard nofile limit is {hard}")));
    }
    for i in 0..count {
        keeper.keep(eventfd(u32::from(i == count - 1), EventfdFlags::CLOEXEC).unwrap());
    }
    Ok(())
}

/// The one that is ready is found among them, and the end of all is told once.
#[test]
fn all_of_many() {
    if super::cannot_watch_others() {
        return;
    }
    for (exhibit, with) in
        [("thousands", "epoll"), ("thousands", "poll"), ("thousands", "select"), ("very_many", "epoll")]
    {
        let mut helper = Helper::start(&format!("watch::many::{exhibit}"));
        if helper.was_skipped() {
            continue;
        }
        let fds = numbers(helper.pid());
        let mut run = armed(fdscope(format!("{}:all --with {with}", helper.pid())));
        assert!(number(&run.seen()[0], "targets") as usize >= fds.len() - 3);
        let last = fds.last().unwrap();
        run.record("the last is ready", |e| e["event"] == "ready" && e["fd"] == *last && e["count"] == 1);
        helper.kill();
        run.event("exited");
        let run = run.end();
        let events = run.check(3, note(with)).json_lines();
        assert_eq!(events.iter().filter(|e| e["event"] == "exited").count(), 1);
    }
}
