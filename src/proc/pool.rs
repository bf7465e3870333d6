//! Work on several cores, results in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

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
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Bounded, so that results which wait for their turn do not pile up.
        let (sender, receiver) = sync_channel(threads * 4);
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, stop, worker, work) = (&next, &stop, &worker, &work);
            scope.spawn(move || {
                let mut worker = worker();
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if sender.send((index, work(&mut worker, item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut turn = 0;
        for (index, result) in &receiver {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&turn) {
                turn += 1;
                if let Err(e) = emit(result) {
                    stop.store(true, Ordering::Relaxed);
                    drop(receiver);
                    return Err(e);
                }
            }
        }
        Ok(())
    })
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
