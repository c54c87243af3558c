//! Runs jobs on all cores and hands over their results in order.
//!
//! Memory is bounded: no job starts that is further ahead of the one being handed over than a few per core.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs per core that may be done or under way beyond the one that is handed over next.
const AHEAD: usize = 3;

struct State<R, E> {
    next: usize,
    taken: usize,
    done: BTreeMap<usize, Result<R, E>>,
    stopped: bool,
}

/// Calls `work` on each of `jobs`, in parallel, and `take` on each result, in order. The first error of either ends it.
pub fn in_order<J: Sync, R: Send, E: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R, E> + Sync,
    mut take: impl FnMut(usize, &J, R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let state = Mutex::new(State { next: 0, taken: 0, done: BTreeMap::new(), stopped: false });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while let Some((index, job)) = claim(&state, &changed, jobs, threads * AHEAD) {
                    let stop = StopOnPanic { state: &state, changed: &changed };
                    let result = work(job);
                    std::mem::forget(stop);
                    locked(&state).done.insert(index, result);
                    changed.notify_all();
                }
            });
        }
        let result = jobs.iter().enumerate().try_for_each(|(index, job)| match await_result(&state, &changed, index) {
            Some(result) => take(index, job, result?),
            // A worker panicked; leaving the scope passes the panic on.
            None => Ok(()),
        });
        locked(&state).stopped = true;
        changed.notify_all();
        result
    })
}

fn claim<'a, J, R, E>(state: &Mutex<State<R, E>>, changed: &Condvar, jobs: &'a [J], ahead: usize) -> Option<(usize, &'a J)> {
    let mut guard = locked(state);
    loop {
        let index = guard.next;
        let job = jobs.get(index).filter(|_| !guard.stopped)?;
        if index < guard.taken + ahead {
            guard.next += 1;
            return Some((index, job));
        }
        guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

fn await_result<R, E>(state: &Mutex<State<R, E>>, changed: &Condvar, index: usize) -> Option<Result<R, E>> {
    let mut guard = locked(state);
    loop {
        if let Some(result) = guard.done.remove(&index) {
            guard.taken = index + 1;
            changed.notify_all();
            return Some(result);
        }
        if guard.stopped {
            return None;
        }
        guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

fn locked<R, E>(state: &Mutex<State<R, E>>) -> MutexGuard<'_, State<R, E>> {
    // Nothing that can panic runs under the lock.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets nobody wait for a worker that has gone.
struct StopOnPanic<'a, R, E> {
    state: &'a Mutex<State<R, E>>,
    changed: &'a Condvar,
}

impl<R, E> Drop for StopOnPanic<'_, R, E> {
    fn drop(&mut self) {
        locked(self.state).stopped = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_whatever_order_they_were_made_in() {
        let jobs: Vec<u64> = (0..500).collect();
        let mut seen = Vec::new();
        let work = |job: &u64| {
            std::hint::black_box((0..(500 - job) * 50).sum::<u64>());
            Ok::<_, ()>(*job)
        };
        in_order(&jobs, work, |index, _, result| {
            assert_eq!(index as u64, result);
            seen.push(result);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, jobs);
    }

    #[test]
    fn an_error_of_either_side_ends_the_run() {
        let jobs: Vec<usize> = (0..100).collect();
        assert_eq!(in_order(&jobs, |job| if *job == 50 { Err("work") } else { Ok(()) }, |_, _, ()| Ok(())), Err("work"));
        assert_eq!(in_order(&jobs, |_| Ok(()), |index, _, ()| if index == 3 { Err("take") } else { Ok(()) }), Err("take"));
        assert_eq!(in_order(&[] as &[u8], |_| Err::<(), _>(1), |_, _, ()| Ok(())), Ok(()));
    }

    #[test]
    fn work_does_not_run_far_ahead_of_what_is_taken() {
        let jobs: Vec<usize> = (0..1000).collect();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let begun = AtomicUsize::new(0);
        let result = in_order(
            &jobs,
            |_| {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok(())
            },
            |index, _, ()| if index == 0 { Err(()) } else { Ok(()) },
        );
        assert!(result.is_err() && begun.load(Ordering::SeqCst) <= threads * AHEAD + 1 + threads);
    }
}
