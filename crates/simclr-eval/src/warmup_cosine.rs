//! The learning rate, step by step.

/// Linear warm-up from zero, then a cosine down to zero, one value per step.
///
/// ```text
/// rate(i) = peak * i / warmup                                          i < warmup
/// rate(i) = peak * (1 + cos(pi * (i - warmup) / (total - warmup))) / 2    otherwise
/// ```
///
/// As in google's SimCLR (`model_util.py`, `WarmUpAndCosineDecay`). There is no upper bound on the
/// peak: LARS runs at 4.8. Evaluations have no warm-up (Chen et al. 2020, appendix B.5 and B.6): what they train starts
/// from zero, or from an encoder that has been trained already.
///
/// ```
/// use simclr_eval::WarmupCosine;
///
/// let schedule = WarmupCosine::new(4.8, 10, 110);
/// assert_eq!(schedule.rate(0), 0.0);
/// assert_eq!(schedule.rate(10), 4.8);
/// assert!((schedule.rate(60) - 2.4).abs() < 1e-12);
/// assert!(schedule.rate(110).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WarmupCosine {
    peak: f64,
    warmup_steps: usize,
    total_steps: usize,
}

impl WarmupCosine {
    /// A schedule of `total_steps` steps, the first `warmup_steps` of which climb to `peak`.
    #[must_use]
    pub fn new(peak: f64, warmup_steps: usize, total_steps: usize) -> Self {
        Self { peak, warmup_steps, total_steps }
    }

    /// The rate of step `step`, counted from 0: a pure function. Beyond the last step it is 0.
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / decay_steps as f64).min(1.0);
        self.peak * (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_climbs_linearly_and_never_restarts() {
        let schedule = WarmupCosine::new(1.0, 4, 20);
        let rates: Vec<f64> = (0..25).map(|step| schedule.rate(step)).collect();
        assert_eq!(rates[..5], [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert!(rates[4..].is_sorted_by(|a, b| a >= b), "{rates:?}");
        assert!(rates[20..].iter().all(|&rate| rate.abs() < 1e-12));
    }

    #[test]
    fn without_warm_up_the_rate_falls_from_the_peak_towards_zero() {
        assert_eq!(WarmupCosine::new(0.3, 0, 10).rate(0).to_bits(), 0.3_f64.to_bits());
        let rates: Vec<f64> = (0..=8).map(|step| WarmupCosine::new(3.0, 0, 8).rate(step)).collect();
        assert!((rates[0] - 3.0).abs() < 1e-12 && (rates[4] - 1.5).abs() < 1e-12);
        assert!(rates.is_sorted_by(|a, b| a > b) && rates[8].abs() < 1e-12, "{rates:?}");
    }

    #[test]
    fn warm_up_as_long_as_the_run_is_no_division_by_zero() {
        let schedule = WarmupCosine::new(0.3, 10, 10);
        assert!((0..12).all(|step| schedule.rate(step).is_finite()));
    }
}
