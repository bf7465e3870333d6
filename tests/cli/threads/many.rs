//! A process with thousands of threads.

use super::{of, settle};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, needs};
use serde_json::{Value, json};
use std::sync::atomic::AtomicU32;

listed! { "threads::many": thousands }

const THREADS: usize = 2000;

static WORD: AtomicU32 = AtomicU32::new(7);

/// All of them wait on one word.
fn thousands(keeper: &mut Keeper) -> Result<(), Skip> {
    for _ in 0..THREADS {
        let at = std::ptr::from_ref(&WORD) as usize;
        let op = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
        let waits = move || {
            let _ = crate::support::call(libc::SYS_futex, [at, op, 7, 0, 0, 0]);
        };
        let thread = std::thread::Builder::new().name("many".to_owned()).stack_size(64 << 10).spawn(waits);
        keeper.keep(needs(thread, "a thread more")?);
    }
    Ok(())
}

#[test]
fn all_of_them() {
    let helper = Helper::start("threads::many::thousands");
    if helper.was_skipped() {
        return;
    }
    let others = json!(THREADS - 1);
    let look = || {
        let records = of(&helper, "").records();
        let waiting = records.iter().filter(|r| r["futex"]["others"] == others).count();
        vec![json!({"name": "all", "waiting": waiting})]
    };
    settle(look, &[("all", json!({"waiting": THREADS}))]);
    let counted = of(&helper, "").arg("--where").arg("futex.others == 1999 && name == \"many\"").records();
    assert_eq!(counted.len(), THREADS);
    let last = counted.last().unwrap();
    assert_eq!(last["waits_for"], "futex, 1999 others wait on the same word");
    // Looks take longer than the interval, and there are fewer: that is said.
    let run = of(&helper, "--sample 300ms --interval 1ms --jsonl").run();
    run.check(0, "looks instead of 300: each took longer than the interval allows");
    let records = run.json_lines();
    let share = |r: &&Value| r["name"] == "many" && r["share"] == 100.0 && r["call"] == "futex";
    assert_eq!(records.iter().filter(share).count(), THREADS);
}
