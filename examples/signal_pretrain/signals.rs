//! The signals that the example draws, and their views.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Samples of a view.
pub(crate) const LENGTH: usize = 128;

/// Samples of a whole signal, of which a view is a part.
pub(crate) const WHOLE: usize = 2 * LENGTH;
pub(crate) const KINDS: usize = 6;

/// Drawn signals of [`WHOLE`] samples, and which of the [`KINDS`] each is.
pub(crate) struct Signals {
    pub(crate) samples: Vec<Vec<f32>>,
    pub(crate) kinds: Vec<usize>,
}

impl Signals {
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let kinds: Vec<usize> = (0..count).map(|index| index % KINDS).collect();
        Self { samples: kinds.iter().map(|&kind| signal(kind, &mut rng)).collect(), kinds }
    }
}

/// A signal of a kind, of random pitch and phase.
fn signal(kind: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let pitch = rng.random_range(0.03..0.12); // Cycles a sample.
    let phase: f64 = rng.random();
    let beat = rng.random_range(0.015..0.03);
    let at = |sample: usize| {
        let time = sample as f64;
        let cycles = time * pitch + phase;
        let in_cycle = cycles.fract();
        match kind {
            0 => (TAU * cycles).sin(),
            1 => (TAU * cycles).sin().signum() * 0.8,
            2 => 2.0 * in_cycle - 1.0,
            3 => 2.0 * (-((in_cycle - 0.5) / 0.08).powi(2)).exp() - 0.3,
            // The pitch rises and falls back four times.
            4 => (TAU * (cycles + 1.5 * (TAU * time / 64.0).sin())).sin(),
            _ => (TAU * cycles).sin() * (TAU * (time * beat + phase)).sin() * 1.4,
        }
    };
    (0..WHOLE).map(|sample| at(sample) as f32).collect()
}

/// A part of a signal, louder or softer, perhaps upside down, with noise.
pub(crate) fn view(signal: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let start = rng.random_range(0..=WHOLE - LENGTH);
    let loudness: f32 = rng.random_range(0.5..1.5);
    let sign = if rng.random() { loudness } else { -loudness };
    let part = &signal[start..start + LENGTH];
    part.iter().map(|sample| sample * sign + noise(rng)).collect()
}

/// A sum of uniform numbers: near enough to normal, with a standard deviation of 0.3.
fn noise(rng: &mut ChaCha8Rng) -> f32 {
    0.3 * (0..3).map(|_| rng.random_range(-1.0..1.0_f32)).sum::<f32>()
}
