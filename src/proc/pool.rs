//! Work on several cores, results in order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs `work` on each of `items` on the machine's cores, each with a worker of its own from
/// `worker`, and hands the results to `emit` in the order of the items. Stops early when `emit`
/// fails, with its error.
pub fn run_ordered<T: Sync, W, R: Send, E>(
    items: &[T],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
    emit: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = match items.len() {
        // Counting the cores reads files of the cgroup.
        0 | 1 => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    run_on(threads, items, worker, work, emit)
}

/// The same, where nothing can stop it.
pub fn run_all<T: Sync, W, R: Send>(
    items: &[T],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
    mut each: impl FnMut(R),
) {
    let Ok(()) = run_ordered(items, worker, work, |result| {
        each(result);
        Ok::<(), Infallible>(())
    });
}

/// How many results a thread may be ahead of what was emitted, for each of the threads, so that
/// results which wait for their turn do not pile up.
const AHEAD: usize = 4;

/// What the threads share.
struct Shared<R> {
    /// The next item that nobody has taken.
    next: AtomicUsize,
    state: Mutex<State<R>>,
    /// Told whenever `state` changes in a way that somebody may wait for.
    changed: Condvar,
}

struct State<R> {
    /// Results that wait for their turn.
    waiting: BTreeMap<usize, R>,
    /// The item whose result is emitted next.
    turn: usize,
    /// Whether nothing more is wanted.
    stop: bool,
}

impl<R> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<R>>) -> MutexGuard<'s, State<R>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn stop(&self) {
        self.state().stop = true;
        self.changed.notify_all();
    }
}

/// Stops the others when this thread panics: they would wait for its result for ever.
struct StopOnPanic<'s, R>(&'s Shared<R>);

impl<R> Drop for StopOnPanic<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

fn run_on<T: Sync, W, R: Send, E>(
    threads: usize,
    items: &[T],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
    mut emit: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        let mut worker = worker();
        return items.iter().try_for_each(|item| emit(work(&mut worker, item)));
    }
    let shared = Shared {
        next: AtomicUsize::new(0),
        state: Mutex::new(State { waiting: BTreeMap::new(), turn: 0, stop: false }),
        changed: Condvar::new(),
    };
    let ahead = threads * AHEAD;
    std::thread::scope(|scope| {
        // This thread works too, and emits between its items: one more would only take its time.
        for _ in 1..threads {
            let (shared, worker, work) = (&shared, &worker, &work);
            scope.spawn(move || help(shared, ahead, items, worker(), work));
        }
        let _guard = StopOnPanic(&shared);
        let mut worker = worker();
        let mut all = || {
            loop {
                let index = shared.take();
                let Some(item) = items.get(index) else { break };
                let result = work(&mut worker, item);
                shared.state().waiting.insert(index, result);
                emit_until(&shared, (index + 1).saturating_sub(ahead), &mut emit)?;
            }
            emit_until(&shared, items.len(), &mut emit)
        };
        all().inspect_err(|_| shared.stop())
    })
}

/// Emits what is due, and waits for more until it is the turn of item `turn` at least.
fn emit_until<R, E>(
    shared: &Shared<R>,
    turn: usize,
    emit: &mut impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let mut state = shared.state();
    loop {
        let due = state.turn;
        if let Some(result) = state.waiting.remove(&due) {
            state.turn += 1;
            drop(state);
            shared.changed.notify_all();
            emit(result)?;
            state = shared.state();
        } else if due >= turn || state.stop {
            return Ok(());
        } else {
            state = shared.wait(state);
        }
    }
}

/// Works until no item is left, and leaves the results to the one who emits.
fn help<T, W, R>(
    shared: &Shared<R>,
    ahead: usize,
    items: &[T],
    mut worker: W,
    work: impl Fn(&mut W, &T) -> R,
) {
    let _guard = StopOnPanic(shared);
    loop {
        let index = shared.take();
        let Some(item) = items.get(index) else { return };
        let result = work(&mut worker, item);
        let mut state = shared.state();
        while index >= state.turn + ahead && !state.stop {
            state = shared.wait(state);
        }
        if state.stop {
            return;
        }
        let is_due = index == state.turn;
        state.waiting.insert(index, result);
        drop(state);
        if is_due {
            shared.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::run_on;

    #[test]
    fn order_is_kept_and_an_error_ends_it() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 5] {
            let mut seen = Vec::new();
            let done: Result<(), ()> = run_on(
                threads,
                &items,
                || (),
                |(), n| n * 2,
                |n| {
                    seen.push(n);
                    Ok(())
                },
            );
            assert_eq!(done, Ok(()));
            assert!(seen.iter().enumerate().all(|(i, &n)| n == i as u32 * 2));
            let ended = run_on(threads, &items, || (), |(), n| *n, |n| if n == 10 { Err(n) } else { Ok(()) });
            assert_eq!(ended, Err(10));
        }
    }
}
