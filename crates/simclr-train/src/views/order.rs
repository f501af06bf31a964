//! The order of the examples in a run.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The examples of each step. A pass goes once through the data set, in an order of its own, in steps of one batch.
pub(crate) struct Order {
    examples: usize,
    batch_size: usize,
    seed: u64,
    /// The current pass, from 1; 0 before the first.
    pass: usize,
    /// The examples in the order of that pass.
    indices: Vec<usize>,
}

impl Order {
    pub(crate) fn new(examples: usize, batch_size: usize, seed: u64) -> Self {
        Self { examples, batch_size, seed, pass: 0, indices: Vec::new() }
    }

    /// The pass of step `step`, from 1, and the step's examples. Steps count from 0.
    pub(crate) fn step(&mut self, step: usize) -> (usize, &[usize]) {
        let steps_per_pass = self.examples / self.batch_size;
        let pass = step / steps_per_pass + 1;
        if pass != self.pass {
            self.pass = pass;
            self.indices = (0..self.examples).collect();
            self.indices.shuffle(&mut order_generator(self.seed, pass));
        }
        let start = step % steps_per_pass * self.batch_size;
        (pass, &self.indices[start..start + self.batch_size])
    }
}

/// The random generator of a pass's order.
///
/// Image views seed the same kind of generator by the words (seed, pass, index, view). The two words of `u64::MAX` keep
/// the orders apart from them, since no index and no view is that large.
fn order_generator(seed: u64, pass: usize) -> ChaCha8Rng {
    let words = [seed, pass as u64, u64::MAX, u64::MAX];
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
