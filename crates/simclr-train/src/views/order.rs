//! The order in which a run sees its examples.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The stream of passes, cut into steps.
pub(crate) struct Order {
    examples: usize,
    batch_size: usize,
    seed: u64,
    /// The pass that was shuffled last, and its order.
    pass: usize,
    indices: Vec<usize>,
}

impl Order {
    pub(crate) fn new(examples: usize, batch_size: usize, seed: u64) -> Self {
        Self { examples, batch_size, seed, pass: 0, indices: Vec::new() }
    }

    /// The examples of a step, counted from 0, and the number of its pass, from 1.
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

/// The generator of a pass's order. Its last two words are none that a view's key has: an image's
/// index is below them.
fn order_generator(seed: u64, pass: usize) -> ChaCha8Rng {
    let words = [seed, pass as u64, u64::MAX, u64::MAX];
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
