//! Memory for intermediate values, kept by each thread from one operation to the next.

use std::cell::Cell;

thread_local! {
    static OF_THREAD: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Bytes of a line of the cache. A vector that begins at a multiple of it lies in one line, others in two.
const LINE: usize = 64;
/// Numbers that are allocated so that those in use may begin at a line.
pub(super) const SLACK: usize = LINE / size_of::<f32>();

/// The first number of `memory` that begins a line of the cache.
pub(super) fn aligned_start(memory: &[f32]) -> usize {
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
