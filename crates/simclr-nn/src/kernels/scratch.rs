//! Memory for intermediate values, kept from one operation to the next.
//!
//! Fresh memory costs a page fault every 4 KiB, which often takes longer than the work on it.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

thread_local! {
    static OF_THREAD: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

static SHARED: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());
/// How many buffers are kept: as many as one operation uses at a time.
const KEPT: usize = 3;

/// Bytes of a line of the cache. A vector that begins at a multiple of it lies in one line, others in two.
const LINE: usize = 64;
/// Numbers that are allocated so that those in use may begin at a line.
const SLACK: usize = LINE / size_of::<f32>();

/// The first number of `memory` that begins a line of the cache.
fn aligned_start(memory: &[f32]) -> usize {
    memory.as_ptr().align_offset(LINE).min(SLACK)
}

/// Calls `work` with `len` numbers that only this thread uses. Their values are whatever was left there.
pub(crate) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut memory = OF_THREAD.take();
    if memory.len() < len + SLACK {
        memory.resize(len + SLACK, 0.0);
    }
    let start = aligned_start(&memory);
    let result = work(&mut memory[start..start + len]);
    OF_THREAD.set(memory);
    result
}

/// Numbers that several threads work on, given back when dropped. Their values are whatever was left there.
pub(crate) struct Shared {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Shared {
    pub(crate) fn new(len: usize) -> Self {
        let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = (0..kept.len()).filter(|&i| kept[i].len() >= len + SLACK);
        let smallest = fitting.min_by_key(|&i| kept[i].len());
        let memory = smallest.map(|index| kept.swap_remove(index));
        drop(kept);
        let memory = memory.unwrap_or_else(|| vec![0.0; len + SLACK]);
        Self { start: aligned_start(&memory), memory, len }
    }
}

impl Deref for Shared {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..][..self.len]
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..][..self.len]
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(std::mem::take(&mut self.memory));
        if kept.len() > KEPT {
            let smallest = (0..kept.len()).min_by_key(|&i| kept[i].len());
            smallest.map(|index| kept.swap_remove(index));
        }
    }
}
