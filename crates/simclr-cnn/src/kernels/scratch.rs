//! Memory for intermediate values, kept by each thread for its next task.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` numbers of any value.
///
/// Fresh memory costs a page fault every 4 KiB, more than what is done with it here.
pub(crate) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut memory = KEPT.take();
    if memory.len() < len {
        memory.resize(len, 0.0);
    }
    let result = work(&mut memory[..len]);
    KEPT.set(memory);
    result
}
