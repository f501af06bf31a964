//! The learning rate's course in an evaluation.

/// The rate of step `step` of `steps`, counted from 0: from `peak` along half a cosine towards zero.
///
/// There is no warm-up in the papers' evaluations (Chen et al. 2020, appendix B.5 and B.6): what is
/// trained starts from zero, or from an encoder that has been trained already.
pub(crate) fn cosine(peak: f64, step: usize, steps: usize) -> f64 {
    let progress = step as f64 / steps as f64;
    0.5 * peak * (1.0 + (std::f64::consts::PI * progress).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_from_the_peak_towards_zero() {
        let rates: Vec<f64> = (0..=8).map(|step| cosine(3.0, step, 8)).collect();
        assert!((rates[0] - 3.0).abs() < 1e-12 && (rates[4] - 1.5).abs() < 1e-12);
        assert!(rates.is_sorted_by(|a, b| a > b) && rates[8].abs() < 1e-12, "{rates:?}");
    }
}
