//! How far figures are apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;

/// Accuracies of one protocol on several draws of the training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Top-1 of each draw, in 0..=1.
    pub accuracies: Vec<f64>,
    /// Training images of each draw.
    pub train_images: Vec<usize>,
}

impl Spread {
    /// The accuracies of some evaluations.
    #[must_use]
    pub fn new(evaluations: &[Evaluation]) -> Self {
        let reports = || evaluations.iter().map(|evaluation| &evaluation.report);
        Self {
            accuracies: reports().map(|report| report.top1).collect(),
            train_images: reports().map(|report| report.evaluated.train_images).collect(),
        }
    }

    /// The mean accuracy.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.accuracies.iter().sum::<f64>() / self.accuracies.len() as f64
    }

    /// The sample standard deviation, of n - 1; 0 for a single draw.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        let squares: f64 = self.accuracies.iter().map(|a| (a - self.mean()).powi(2)).sum();
        (squares / self.accuracies.len().saturating_sub(1).max(1) as f64).sqrt()
    }
}

/// "61.2 ± 0.8 % (10 draws of 100 images)".
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, deviation) = (100.0 * self.mean(), 100.0 * self.standard_deviation());
        let fewest = self.train_images.iter().min().copied().unwrap_or(0);
        let most = self.train_images.iter().max().copied().unwrap_or(0);
        let images =
            if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
        let draws = self.accuracies.len();
        write!(f, "{mean:.1} ± {deviation:.1} % ({draws} draws of {images} images)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_printed_with_its_draws() {
        let spread = Spread { accuracies: vec![0.5, 0.7], train_images: vec![10, 10] };
        assert_eq!(spread.to_string(), "60.0 ± 14.1 % (2 draws of 10 images)");
    }
}
