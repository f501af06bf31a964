//! The report's random choices.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What something is drawn for. Each purpose has random numbers of its own, so that one part of the page does not
/// change what another shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    TrainingSet,
    TestSet,
    Pretraining,
    Views,
    MapPoints,
    MapStart,
    NeighbourQueries,
}

/// The generator of one purpose.
pub(crate) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose as u64);
    random
}

/// All of `0..len` in random order.
pub(crate) fn shuffled(len: usize, seed: u64, purpose: Purpose) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut generator(seed, purpose));
    order
}

/// At most `most` of `0..len`, ascending.
pub(crate) fn some_of(len: usize, most: usize, seed: u64, purpose: Purpose) -> Vec<usize> {
    let mut drawn = shuffled(len, seed, purpose);
    drawn.truncate(most);
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_drawn_by_the_seed_and_all_are_all() {
        let drawn = some_of(100, 10, 7, Purpose::TrainingSet);
        assert_eq!(drawn.len(), 10);
        assert!(drawn.is_sorted_by(|a, b| a < b) && drawn[9] < 100);
        assert_eq!(drawn, some_of(100, 10, 7, Purpose::TrainingSet));
        assert_ne!(drawn, some_of(100, 10, 8, Purpose::TrainingSet));
        assert_ne!(drawn, some_of(100, 10, 7, Purpose::TestSet));
        assert_eq!(some_of(4, 10, 7, Purpose::TrainingSet), [0, 1, 2, 3]);
    }
}
