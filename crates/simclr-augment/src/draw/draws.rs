use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::view_key::ViewKey;

/// The steps of the policy that draw numbers; each has its own ChaCha stream under the view's key.
///
/// With one shared stream, a crop that needs a second attempt, or a step that is switched off, would
/// shift the draws of every later step. The numbers of the streams are part of the format: a new step
/// takes a new number, and no number is used again.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Crop = 0,
    Flip = 1,
    ColorJitter = 2,
    Grayscale = 3,
    Blur = 4,
    VerticalFlip = 5,
    Rotation = 6,
    Solarize = 7,
    Erasing = 8,
    Custom = 9,
    PaddedCrop = 10,
}

/// The random numbers of one step for one view: a generator of its own.
///
/// The conversions from bits to numbers are written here and not taken from a library of distributions,
/// so that a library's next release cannot change a view.
#[derive(Debug, Clone)]
pub struct Draws {
    generator: ChaCha8Rng,
}

impl Draws {
    pub(crate) fn new(key: ViewKey, step: Step) -> Self {
        let mut generator = ChaCha8Rng::from_seed(key.to_bytes());
        generator.set_stream(step as u64);
        Self { generator }
    }

    /// The numbers that follow from a seed alone.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A whole number, each equally likely.
    pub(crate) fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        const ULP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.generator.next_u64() >> 11) as f64 * ULP
    }

    /// Uniform between the two bounds.
    pub fn uniform(&mut self, [low, high]: [f64; 2]) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform among `0..n`; 0 for `n = 0`. Off from uniform by less than n / 2^53.
    pub fn below(&mut self, n: u32) -> u32 {
        (self.unit() * f64::from(n)) as u32
    }

    /// True with the given probability: always for 1, never for 0.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ViewKey = ViewKey { seed: 1, pass: 2, index: 3, view: 4 };

    #[test]
    fn the_key_is_the_seed_in_little_endian_order() {
        let bytes = KEY.to_bytes();
        assert_eq!([bytes[0], bytes[8], bytes[16], bytes[24]], [1, 2, 3, 4]);
        assert_eq!(bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>(), 10);
    }

    #[test]
    fn each_step_has_a_stream_of_its_own() {
        let steps = [
            Step::Crop,
            Step::Flip,
            Step::ColorJitter,
            Step::Grayscale,
            Step::Blur,
            Step::VerticalFlip,
            Step::Rotation,
            Step::Solarize,
            Step::Erasing,
            Step::Custom,
            Step::PaddedCrop,
        ];
        let mut first: Vec<u64> = steps.map(|step| Draws::new(KEY, step).unit().to_bits()).to_vec();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), steps.len());
    }

    #[test]
    fn certain_and_impossible_chances_are_never_missed() {
        let mut draws = Draws::new(KEY, Step::Flip);
        assert!((0..1000).all(|_| draws.chance(1.0)));
        assert!(!(0..1000).any(|_| draws.chance(0.0)));
    }

    #[test]
    fn integers_below_n_reach_every_value_and_stay_below() {
        let mut draws = Draws::new(KEY, Step::Crop);
        let mut counts = [0; 5];
        for _ in 0..1000 {
            counts[draws.below(5) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| count > 150), "{counts:?}");
        assert_eq!(draws.below(1), 0);
    }
}
