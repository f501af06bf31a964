//! Round numbers for an axis.

use crate::numbers::{grouped, scientific};

/// A round number on an axis, and how it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// Round numbers from `low` to `high`, at most `about + 1` of them: steps of 1, 2, 2.5 or 5 times a power of ten.
pub(crate) fn ticks([low, high]: [f64; 2], about: usize) -> Vec<Tick> {
    let step = step(high - low, about);
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).max(0.0) as usize;
    let values = (0..=count).map(|index| (first + index as f64) * step);
    values.map(|value| Tick { value, label: label(value, step) }).collect()
}

/// The powers of ten from `low` to `high`, which are powers of ten themselves.
pub(crate) fn decades(ends: [f64; 2]) -> Vec<Tick> {
    let [low, high] = ends.map(|end| end.log10().round() as i32);
    let values = (low..=high).map(|decade| 10_f64.powi(decade));
    values.map(|value| Tick { value, label: scientific(value) }).collect()
}

fn step(range: f64, about: usize) -> f64 {
    let rough = range.max(f64::MIN_POSITIVE) / about as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// `value` with the digits that tell it from its neighbour, `step` away.
fn label(value: f64, step: f64) -> String {
    if value.abs() < step / 2.0 {
        return "0".to_owned();
    }
    if step < 1e-3 {
        return scientific(value);
    }
    let is_whole = |decimals: &i32| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let decimals = (0..4).find(is_whole).unwrap_or(4) as usize;
    grouped(&format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        ticks([low, high], 4).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_numbers_one_would_choose() {
        assert_eq!(labels(0.0, 1.0), ["0", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(3.41, 5.02), ["3.5", "4.0", "4.5", "5.0"]);
        assert_eq!(labels(0.0, 3e-3), ["0", "0.001", "0.002", "0.003"]);
        assert_eq!(labels(0.0, 86.0), ["0", "25", "50", "75"]);
        assert_eq!(labels(0.0, 0.9), ["0", "0.25", "0.50", "0.75"]);
        assert_eq!(labels(0.0, 1e-3), ["0", "2.5e-4", "5e-4", "7.5e-4", "1e-3"]);
        assert_eq!(labels(0.0, 4100.0), ["0", "2,000", "4,000"]);
    }

    proptest! {
        #[test]
        fn ticks_lie_in_their_range(low in -1e6..1e6_f64, length in 1e-6..1e6_f64, about in 2..8_usize) {
            let high = low + length;
            let ticks = ticks([low, high], about);
            let slack = length * 1e-6 + low.abs() * 1e-9;
            prop_assert!(ticks.len() <= about + 1);
            let inside = |tick: &Tick| tick.value >= low - slack && tick.value <= high + slack;
            prop_assert!(ticks.iter().all(inside), "{:?}", ticks);
        }
    }
}
