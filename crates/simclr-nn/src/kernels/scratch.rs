//! Memory for intermediate values, kept by each thread from one operation to the next.

use std::cell::Cell;

thread_local! {
    static OF_THREAD: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` numbers that only this thread uses. Their values are whatever was left there.
pub(crate) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut memory = OF_THREAD.take();
    if memory.len() < len {
        memory.resize(len, 0.0);
    }
    let result = work(&mut memory[..len]);
    OF_THREAD.set(memory);
    result
}
