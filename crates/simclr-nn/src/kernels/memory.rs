//! Memory for results, kept from one operation to the next.
//!
//! Fresh memory costs a page fault every 4 KiB, and the faults of a result often take longer than its computation.

use std::sync::{Mutex, PoisonError};

use super::scratch::{SLACK, aligned_start};

/// Numbers in a buffer that is worth keeping: allocators keep smaller ones themselves.
const WORTH_KEEPING: usize = 16 * 1024;
/// Numbers that are kept at most: 2 GiB.
const MOST_KEPT: usize = 1 << 29;
/// A buffer is freed after so many times as much as is kept was taken without it. A pass of a deep network takes some ten
/// times as much as it holds at a time.
const PATIENCE: usize = 16;

static POOL: Mutex<Pool> = Mutex::new(Pool { buffers: Vec::new(), kept: 0, taken: 0 });

/// `len` numbers. Their values are whatever was left there.
pub(crate) fn take(len: usize) -> Vec<f32> {
    let found = if len < WORTH_KEEPING { None } else { with_pool(|pool| pool.take(len)) };
    match found {
        Some(mut memory) => {
            memory.resize(len, 0.0);
            memory
        }
        None => vec![0.0; len],
    }
}

/// Keeps `memory` for a later [`take`].
pub(crate) fn give(memory: Vec<f32>) {
    if memory.capacity() >= WORTH_KEEPING {
        drop(with_pool(|pool| pool.give(memory)));
    }
}

/// Frees everything that is kept.
pub(crate) fn free() {
    drop(with_pool(|pool| {
        pool.kept = 0;
        std::mem::take(&mut pool.buffers)
    }));
}

fn with_pool<T>(work: impl FnOnce(&mut Pool) -> T) -> T {
    work(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Pool {
    /// What is kept, the oldest first.
    buffers: Vec<Kept>,
    /// Numbers in `buffers`.
    kept: usize,
    /// Numbers taken so far, from here or fresh: the clock by which buffers age.
    taken: usize,
}

struct Kept {
    memory: Vec<f32>,
    /// [`Pool::taken`] when it was given.
    since: usize,
}

impl Pool {
    /// The smallest buffer that `len` numbers fit into without wasting a quarter of it; the youngest of several, which
    /// is the likeliest to be in a cache.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        self.taken += len;
        let sizes = self.buffers.iter().map(|kept| kept.memory.capacity()).enumerate();
        let fitting = sizes.filter(|&(_, size)| size >= len && size <= len + len / 3);
        let (index, size) = fitting.rev().min_by_key(|&(_, size)| size)?;
        self.kept -= size;
        Some(self.buffers.remove(index).memory)
    }

    /// Keeps `memory`, and returns what is to be freed.
    fn give(&mut self, memory: Vec<f32>) -> Vec<Kept> {
        self.kept += memory.capacity();
        self.buffers.push(Kept { memory, since: self.taken });
        let patience = PATIENCE.saturating_mul(self.kept);
        let mut left = self.kept;
        let freed = self.buffers.iter().take_while(|kept| {
            let goes = left > MOST_KEPT || self.taken - kept.since > patience;
            left -= if goes { kept.memory.capacity() } else { 0 };
            goes
        });
        let freed = freed.count();
        self.kept = left;
        self.buffers.drain(..freed).collect()
    }
}

/// Numbers for one operation, given back when dropped. The first begins a line of the cache.
pub(crate) struct Lent {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Lent {
    /// `len` numbers. Their values are whatever was left there.
    pub(crate) fn new(len: usize) -> Self {
        let memory = take(len + SLACK);
        Self { start: aligned_start(&memory), memory, len }
    }
}

impl std::ops::Deref for Lent {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..][..self.len]
    }
}

impl std::ops::DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..][..self.len]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.memory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool { buffers: Vec::new(), kept: 0, taken: 0 }
    }

    #[test]
    fn the_buffer_that_fits_best_is_taken() {
        let mut pool = pool();
        for len in [1000, 1200, 1100, 900] {
            assert!(pool.give(Vec::with_capacity(len)).is_empty());
        }
        assert_eq!(pool.take(1000).map(|memory| memory.capacity()), Some(1000));
        assert_eq!(pool.take(1000).map(|memory| memory.capacity()), Some(1100));
        assert_eq!(pool.kept, 2100);
    }

    #[test]
    fn a_buffer_that_is_much_too_large_is_left_for_others() {
        let mut pool = pool();
        pool.give(Vec::with_capacity(2000));
        assert!(pool.take(1000).is_none());
        assert!(pool.take(2001).is_none());
        assert_eq!(pool.take(1500).map(|memory| memory.capacity()), Some(2000));
    }

    #[test]
    fn a_buffer_that_nobody_takes_is_freed() {
        let mut pool = pool();
        pool.give(Vec::with_capacity(1000));
        for _ in 0..3 * PATIENCE {
            let memory = pool.take(500).unwrap_or_else(|| Vec::with_capacity(500));
            assert_eq!(pool.give(memory).len(), 0);
        }
        let memory = pool.take(500).unwrap();
        assert_eq!(pool.give(memory).len(), 1);
        assert_eq!((pool.kept, pool.buffers.len()), (500, 1));
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let mut pool = pool();
        pool.kept = MOST_KEPT - 500;
        pool.buffers.push(Kept { memory: Vec::with_capacity(1000), since: 0 });
        assert_eq!(pool.give(Vec::with_capacity(1000)).len(), 1);
        assert_eq!(pool.buffers.len(), 1);
    }

    #[test]
    fn memory_that_is_given_is_taken_again() {
        let mut pool = pool();
        let memory: Vec<f32> = Vec::with_capacity(1000);
        let place = memory.as_ptr();
        pool.give(memory);
        assert_eq!(pool.take(1000).map(|memory| memory.as_ptr()), Some(place));
    }
}
