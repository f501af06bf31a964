//! The random draws behind one picture.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// A stream of random values that depends only on a seed and the index of an image.
///
/// Floats are made from raw 64-bit words here rather than by a distribution of `rand`: its algorithms may change
/// between versions, and the sample must not.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..].copy_from_slice(b"simclr sample v1");
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in `low..high`.
    pub(super) fn uniform(&mut self, low: f32, high: f32) -> f32 {
        // 24 bits: every value is an f32, and 1 is never reached by rounding.
        let unit = (self.0.next_u64() >> 40) as f32 / (1u32 << 24) as f32;
        low + (high - low) * unit
    }

    /// True with the given probability, in 0..=1.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// A unit vector of uniform direction. `sin` and `cos` are avoided, since they differ between machines.
    pub(super) fn direction(&mut self) -> [f32; 2] {
        loop {
            let (x, y) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = x * x + y * y;
            if (0.01..=1.0).contains(&square) {
                let norm = square.sqrt();
                return [x / norm, y / norm];
            }
        }
    }

    /// Eight independent bytes.
    pub(super) fn bytes(&mut self) -> [u8; 8] {
        self.0.next_u64().to_le_bytes()
    }
}
