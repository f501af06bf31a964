//! Features of mean 0 and standard deviation 1.

use simclr_embed::Features;

/// A standard deviation below this share of the feature's mean is rounding: the feature is constant.
const CONSTANT: f64 = 1e-10;

/// Maps features to mean 0 and standard deviation 1, each by itself: scikit-learn's `StandardScaler`.
///
/// Mean and deviation are those of the training set, also for the test set. A constant feature is only shifted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standardization {
    pub(super) mean: Vec<f64>,
    /// One over the standard deviation.
    pub(super) scale: Vec<f64>,
}

impl Standardization {
    /// [`of`](Self::of) the features a probe learns from, or [`none`](Self::none).
    pub(super) fn for_probe(features: &Features, standardize: bool) -> Self {
        if standardize { Self::of(features) } else { Self::none(features.size()) }
    }

    /// Leaves features as they are.
    pub(super) fn none(size: usize) -> Self {
        Self { mean: vec![0.0; size], scale: vec![1.0; size] }
    }

    /// From the mean and the (biased) standard deviation of each feature.
    pub(super) fn of(features: &Features) -> Self {
        let count = features.len() as f64;
        let mut mean = vec![0.0; features.size()];
        for row in features.rows() {
            for (mean, x) in mean.iter_mut().zip(row) {
                *mean += f64::from(*x) / count;
            }
        }
        let mut variance = vec![0.0; features.size()];
        for row in features.rows() {
            for ((variance, mean), x) in variance.iter_mut().zip(&mean).zip(row) {
                *variance += (f64::from(*x) - mean).powi(2) / count;
            }
        }
        let scale_of = |(variance, mean): (f64, &f64)| {
            let deviation = variance.sqrt();
            if deviation > CONSTANT * mean.abs() { 1.0 / deviation } else { 1.0 }
        };
        let scale = variance.into_iter().zip(&mean).map(scale_of).collect();
        Self { mean, scale }
    }

    /// Writes the standardised `row` to `out`.
    pub(super) fn apply(&self, row: &[f32], out: &mut [f64]) {
        for (((out, x), mean), scale) in out.iter_mut().zip(row).zip(&self.mean).zip(&self.scale) {
            *out = (f64::from(*x) - mean) * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_gets_mean_zero_and_deviation_one() {
        let features = Features::new(vec![1.0, 10.0, 2.0, 10.0, 6.0, 40.0], 2);
        let standardization = Standardization::of(&features);
        let mut sums = [[0.0; 2]; 2];
        let mut out = [0.0; 2];
        for row in features.rows() {
            standardization.apply(row, &mut out);
            for (sums, x) in sums.iter_mut().zip(out) {
                sums[0] += x;
                sums[1] += x * x;
            }
        }
        for [sum, squares] in sums {
            assert!(sum.abs() < 1e-12 && (squares - 3.0).abs() < 1e-12, "{sum} {squares}");
        }
    }

    #[test]
    fn a_constant_feature_is_shifted_and_not_blown_up() {
        // 0.1 is not a binary fraction: a mean of three may be off by its last bit.
        let standardization = Standardization::of(&Features::new(vec![0.1; 3], 1));
        let mut out = [0.0];
        standardization.apply(&[0.6], &mut out);
        assert!((out[0] - 0.5).abs() < 1e-6, "{out:?}");
    }
}
