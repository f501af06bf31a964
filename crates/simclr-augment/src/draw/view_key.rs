use serde::{Deserialize, Serialize};

/// The name of one view of one image, and the whole seed of its random numbers.
///
/// Equal keys give equal views on every machine, with any number of workers, in any order, and after a
/// resumed run, because no view draws from a generator that another view has advanced. Keys that differ
/// in any of the four numbers give unrelated draws.
///
/// The four numbers, little-endian, are the 32-byte seed of a `ChaCha8` generator, which is
/// counter-based.
///
/// ```
/// use simclr_augment::{SimClrAugmentation, ViewKey};
///
/// let policy = SimClrAugmentation::stl10();
/// let key = ViewKey { seed: 42, pass: 3, index: 1007, view: 0 };
/// assert_eq!(policy.draw(key, 96, 96), policy.draw(key, 96, 96));
///
/// let other = ViewKey { view: 1, ..key };
/// assert_ne!(policy.draw(key, 96, 96), policy.draw(other, 96, 96));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewKey {
    /// The run's seed.
    pub seed: u64,
    /// The pass over the data set, from 0: every pass shows new views. It is not the epoch, which may be
    /// any number of steps.
    pub pass: u64,
    /// The image's index in its data set, not its place in the batch.
    pub index: u64,
    /// Which view of the image: 0 and 1 are a positive pair.
    pub view: u64,
}

impl ViewKey {
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let words = [self.seed, self.pass, self.index, self.view];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}
