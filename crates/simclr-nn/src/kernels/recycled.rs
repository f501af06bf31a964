//! Memory of large results that nobody needs any more, for the next results.
//!
//! Fresh memory is filled with zeros by the allocator or by the system, page by page, which takes about as long as a sweep
//! over it. What is computed here fills all of its memory, and needs no zeros. The backward pass gives back what it has
//! used for the last time, and the next forward pass takes it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

static KEPT: Mutex<VecDeque<Vec<f32>>> = Mutex::new(VecDeque::new());
/// Numbers that are kept, at most: 512 MiB.
const MOST: usize = 128 << 20;
/// Smaller results come from the allocator.
const LEAST: usize = 32 * 1024;

/// Memory for `len` numbers. Their values are whatever was left there.
pub(crate) fn memory(len: usize) -> Vec<f32> {
    if len < LEAST {
        return vec![0.0; len];
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |memory: &Vec<f32>| (len..=len + len / 8).contains(&memory.capacity());
    // The latest is the likeliest to be in a cache.
    let found = kept.iter().rposition(fits).and_then(|index| kept.remove(index));
    drop(kept);
    found.map_or_else(
        || vec![0.0; len],
        |mut memory| {
            memory.resize(len, 0.0);
            memory
        },
    )
}

/// Takes memory that is no longer used.
pub(crate) fn recycle(memory: Vec<f32>) {
    if memory.capacity() < LEAST {
        return;
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_back(memory);
    let mut all: usize = kept.iter().map(Vec::capacity).sum();
    while all > MOST {
        all -= kept.pop_front().map_or(all, |oldest| oldest.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because all share what is kept.
    #[test]
    fn memory_that_was_given_back_is_handed_out_again_where_it_fits_and_no_more_is_kept_than_the_limit()
     {
        let len = 3 * LEAST + 17;
        recycle(vec![7.0; len]);
        assert!(memory(2 * LEAST).iter().all(|&x| x == 0.0), "too large is fresh");
        let again = memory(len - 5);
        assert_eq!((again.len(), again.capacity(), again[0]), (len - 5, len, 7.0));
        assert!(memory(len - 5).iter().all(|&x| x == 0.0), "handed out once");
        recycle(again);
        assert_eq!(memory(len).len(), len);
        for _ in 0..20 {
            recycle(vec![0.0; MOST / 16]);
        }
        let kept = KEPT.lock().unwrap();
        assert_eq!(kept.iter().map(Vec::capacity).sum::<usize>(), MOST);
    }
}
