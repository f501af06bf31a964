//! The curve of a range test, and the rate that it suggests.

use serde::{Deserialize, Serialize};

/// The standard deviation of the Gaussian weights that smooth the curve, in decades of the rate.
const SMOOTHING_DECADES: f64 = 0.25;

/// A gain of less than this share of the chance level is noise.
const LEAST_GAIN: f64 = 0.02;

/// The curve of a learning-rate range test: the loss at each of a row of rising rates.
///
/// Made by [`Trainer::range_test`](crate::Trainer::range_test).
///
/// A contrastive loss is bounded and cannot explode as others do. Where the rate is too high, the network collapses:
/// all projections become alike, and the loss goes to the chance level. A new network's loss is often *above* that
/// level, so that the first and steepest descent of the curve can be the collapse itself. Hence only a loss below the
/// [`chance_level`](Self::chance_level) counts as learning.
///
/// ```
/// use simclr_train::{LearningRateCurve, TriedRate};
///
/// // Above the chance level at first, at it from 1e-4 on, below it from 1e-3 to 1e-1.
/// let loss = |x: f64| match x {
///     x if x < -4.0 => 5.2,
///     x if x < -3.0 => 4.8,
///     x => 4.8 - 0.5 * (std::f64::consts::PI * (x + 3.0) / 2.0).sin().max(0.0),
/// };
/// let tried = (0..100).map(|i| -7.0 + f64::from(i) * 0.06);
/// let tried = tried.map(|x| TriedRate { rate: 10_f64.powf(x), loss: loss(x) }).collect();
/// let curve = LearningRateCurve { tried, chance_level: 4.8, diverged: false };
/// let rate = curve.suggestion().unwrap();
/// assert!((1e-3..5e-3).contains(&rate), "{rate}");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningRateCurve {
    /// Each rate and the loss before the step at that rate, by rising rate.
    pub tried: Vec<TriedRate>,
    /// The loss where all projections are alike: ln(2n - 1) for NT-Xent.
    pub chance_level: f64,
    /// Whether the test ended early because the loss rose or became infinite.
    pub diverged: bool,
}

/// A step of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TriedRate {
    /// The learning rate.
    pub rate: f64,
    /// The batch's loss.
    pub loss: f64,
}

impl LearningRateCurve {
    /// The losses, each averaged with its neighbours by Gaussian weights over the logarithm of the rate, with a
    /// standard deviation of a quarter of a decade.
    ///
    /// A running average, the usual choice, lags, and would move the steepest descent to a higher rate.
    #[must_use]
    pub fn smoothed(&self) -> Vec<f64> {
        (0..self.tried.len()).map(|index| self.smoothed_at(index)).collect()
    }

    fn smoothed_at(&self, index: usize) -> f64 {
        let centre = self.tried[index].rate.log10();
        let (mut sum, mut weights) = (0.0, 0.0);
        for tried in &self.tried {
            let distance = (tried.rate.log10() - centre) / SMOOTHING_DECADES;
            let weight = (-0.5 * distance * distance).exp();
            sum += weight * tried.loss;
            weights += weight;
        }
        sum / weights
    }

    /// The smoothed losses, capped at the chance level.
    fn learnt(&self) -> Vec<f64> {
        self.smoothed().into_iter().map(|loss| loss.min(self.chance_level)).collect()
    }

    /// The rate at which the smoothed loss falls most per decade, below the chance level and before its lowest point,
    /// rounded to two digits. `None` if the loss stays within 2 % of the chance level or above it.
    ///
    /// It is a first guess at the peak of a schedule with warm-up. The best peak of a whole run may be several times as high, as the
    /// loss of a few hundred steps falls fastest at a rate that is safe from the first step on.
    #[must_use]
    pub fn suggestion(&self) -> Option<f64> {
        let losses = self.learnt();
        let (lowest, least) = minimum(&losses)?;
        if self.chance_level - least < LEAST_GAIN * self.chance_level {
            return None;
        }
        let slope = |i: usize| {
            let decades = (self.tried[i + 1].rate / self.tried[i - 1].rate).log10();
            (losses[i + 1] - losses[i - 1]) / decades
        };
        let steepest = (1..lowest).min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        Some(two_digits(self.tried[steepest].rate))
    }

    /// Whether the test can end: the loss has lost half of its gain again, or is 25 % above its start.
    pub(crate) fn has_risen(&self) -> bool {
        let losses = self.smoothed();
        let (Some((_, least)), Some(&last)) = (minimum(&losses), losses.last()) else {
            return false;
        };
        let gain = self.chance_level - least;
        let collapsed =
            gain > LEAST_GAIN * self.chance_level && last > self.chance_level - 0.5 * gain;
        collapsed || last > 1.25 * losses[0].max(self.chance_level)
    }
}

/// Rounds to two digits: the curve is not more exact.
fn two_digits(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().expect("a formatted number is a number")
}

/// The index of the least value, and the value; `None` if it is not finite.
fn minimum(values: &[f64]) -> Option<(usize, f64)> {
    let least = values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    least.filter(|(_, value)| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANCE_LEVEL: f64 = 4.8;

    fn curve(losses: impl IntoIterator<Item = f64>) -> LearningRateCurve {
        let tried = losses.into_iter().enumerate().map(|(step, loss)| {
            let rate = 10_f64.powf(-7.0 + 0.08 * step as f64);
            TriedRate { rate, loss }
        });
        LearningRateCurve { tried: tried.collect(), chance_level: CHANCE_LEVEL, diverged: false }
    }

    /// Noise of about one percent, the same every time.
    fn noise(step: usize) -> f64 {
        0.05 * ((step * 7919 % 101) as f64 / 50.0 - 1.0)
    }

    #[test]
    fn the_suggestion_is_the_steepest_descent_in_spite_of_noise() {
        let fall = |step: usize| 4.8 - 2.0 / (1.0 + (-(step as f64 - 50.0) / 4.0).exp());
        let suggestion = curve((0..90).map(|s| fall(s) + noise(s))).suggestion().unwrap();
        let steepest = 10_f64.powf(-7.0 + 0.08 * 50.0);
        assert!((suggestion / steepest).log10().abs() < 0.25, "{suggestion}, {steepest}");
    }

    #[test]
    fn a_fall_to_the_chance_level_is_not_learning() {
        let collapse = |step: usize| if step < 40 { 5.6 } else { 4.8 };
        assert_eq!(curve((0..90).map(collapse)).suggestion(), None);
        // A gentler descent after it is learning.
        let learning = |step: usize| collapse(step) - 0.01 * step.saturating_sub(60) as f64;
        let suggestion = curve((0..90).map(learning)).suggestion().unwrap();
        assert!(suggestion >= 10_f64.powf(-7.0 + 0.08 * 58.0), "{suggestion}");
    }

    #[test]
    fn a_descent_after_the_lowest_point_does_not_count() {
        // Down slowly, up, and steeply down again but not as low, as after a divergence.
        let slow = (0..50).map(|s| 4.8 - 0.04 * f64::from(s));
        let rest = (0..40).map(|s| if s < 20 { 9.0 } else { 4.0 });
        let suggestion = curve(slow.chain(rest)).suggestion().unwrap();
        assert!(suggestion < 10_f64.powf(-7.0 + 0.08 * 50.0), "{suggestion}");
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        assert_eq!(curve((0..90).map(|s| 4.9 + noise(s))).suggestion(), None);
        assert_eq!(curve((0..90).map(|s| 4.8 + 0.01 * f64::from(s))).suggestion(), None);
        assert_eq!(curve([]).suggestion(), None);
        assert_eq!(curve([5.0]).suggestion(), None);
    }

    #[test]
    fn a_collapse_and_an_explosion_are_told_from_noise() {
        assert!(!curve((0..90).map(|s| 4.9 + noise(s))).has_risen());
        assert!(!curve((0..90).map(|s| 5.0 - 0.02 * s as f64 + noise(s))).has_risen());
        let collapse = |s: usize| if s < 60 { 4.8 - 0.02 * s as f64 } else { 4.8 };
        assert!(curve((0..75).map(|s| collapse(s) + noise(s))).has_risen());
        let explosion = |s: usize| if s < 60 { 4.9 } else { 9.0 };
        assert!(curve((0..75).map(|s| explosion(s) + noise(s))).has_risen());
    }
}
