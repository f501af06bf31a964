//! Things that several threads make ahead of the one that takes them, in order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Makes things number `first`, `first + 1`, ... on threads of its own and hands them over in that order, whichever was
/// made first.
///
/// At most a given number of them are made or being made beyond those that were taken. Dropping it waits until those
/// that are being made are done.
pub(crate) struct Prefetch<T> {
    shared: Arc<Shared<T>>,
    makers: Vec<JoinHandle<()>>,
}

/// A thing, and how it came.
pub(crate) struct Taken<T> {
    /// The thing; the panic of the thread that was to make it.
    pub(crate) made: Result<T, Panicked>,
    /// The time for which it was waited for.
    pub(crate) waited: Duration,
    /// The number of things that were ready, this one included if it was.
    pub(crate) ready: usize,
}

/// A thread panicked while it made a thing.
#[derive(Debug)]
pub(crate) struct Panicked;

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// The next thing that a thread will make.
    next: usize,
    /// The next thing that will be taken.
    due: usize,
    /// What waits to be taken.
    made: BTreeMap<usize, Result<T, Panicked>>,
    /// Whether no thing will be taken any more.
    stopped: bool,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Makes the things `first..end` on `threads` threads, at most `ahead` beyond those taken; both are 1 at least.
    pub(crate) fn new(
        first: usize,
        end: usize,
        ahead: usize,
        threads: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        let state = State { next: first, due: first, made: BTreeMap::new(), stopped: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let make = Arc::new(make);
        let maker = |number: usize| {
            let (shared, make) = (Arc::clone(&shared), Arc::clone(&make));
            let work = move || {
                while let Some(number) = shared.next(end, ahead) {
                    // Whatever was half made is dropped with the panic.
                    let made = catch_unwind(AssertUnwindSafe(|| make(number)));
                    shared.lock().made.insert(number, made.map_err(|_| Panicked));
                    shared.changed.notify_all();
                }
            };
            let thread = std::thread::Builder::new().name(format!("views {number}"));
            thread.spawn(work).expect("the system has a thread left")
        };
        let makers = (0..threads).map(maker).collect();
        Self { shared, makers }
    }

    /// Waits for the next thing. There must be one before the end.
    pub(crate) fn take(&mut self) -> Taken<T> {
        let started = Instant::now();
        let mut state = self.shared.lock();
        let ready = state.made.len();
        let due = state.due;
        let made = loop {
            if let Some(made) = state.made.remove(&due) {
                break made;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.due += 1;
        drop(state);
        self.shared.changed.notify_all();
        Taken { made, waited: started.elapsed(), ready }
    }

    /// The number of the thing that is taken next.
    pub(crate) fn due(&self) -> usize {
        self.shared.lock().due
    }

    /// The number of things that wait to be taken.
    #[cfg(test)]
    pub(crate) fn ready(&self) -> usize {
        self.shared.lock().made.len()
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more thing may be made; `None` if there is nothing more to make.
    fn next(&self, end: usize, ahead: usize) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.next >= end {
                return None;
            }
            if state.next < state.due + ahead {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        for maker in self.makers.drain(..) {
            // A panic was caught, and is in the thing that it was to make.
            let _ = maker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn things_come_in_order_however_long_each_takes() {
        for (ahead, threads) in [(1, 1), (1, 3), (4, 2), (9, 8)] {
            let make = |number: usize| {
                std::thread::sleep(Duration::from_micros((number * 7919 % 13) as u64 * 100));
                number * number
            };
            let mut prefetch = Prefetch::new(3, 40, ahead, threads, make);
            for number in 3..40 {
                assert_eq!(prefetch.due(), number);
                assert_eq!(prefetch.take().made.unwrap(), number * number);
            }
        }
    }

    #[test]
    fn no_more_are_made_ahead_than_allowed_and_none_beyond_the_end() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let make = move |_| counter.fetch_add(1, Ordering::SeqCst);
        let mut prefetch = Prefetch::new(0, 7, 3, 2, make);
        for taken in 0..7 {
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(made.load(Ordering::SeqCst), (taken + 3).min(7));
            assert_eq!(prefetch.take().ready, (7 - taken).min(3));
        }
    }

    #[test]
    fn a_panic_is_one_thing_and_the_others_come() {
        let make = |number: usize| {
            assert!(number != 2, "told to panic");
            number
        };
        let mut prefetch = Prefetch::new(0, 5, 2, 2, make);
        let made: Vec<_> = (0..5).map(|_| prefetch.take().made.ok()).collect();
        assert_eq!(made, [Some(0), Some(1), None, Some(3), Some(4)]);
    }

    #[test]
    fn it_can_be_dropped_while_things_are_made_and_wait() {
        let prefetch = Prefetch::new(0, 100, 4, 3, |number| {
            std::thread::sleep(Duration::from_millis(5));
            number
        });
        drop(prefetch);
    }
}
