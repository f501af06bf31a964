//! The figures of an epoch.

use crate::watch::metrics_line::MetricsLine;
use crate::watch::representation::Representation;

/// The figures of an epoch's training.
pub(crate) struct EpochFigures {
    /// NaN if every step of the epoch overflowed in f16.
    pub(crate) mean_loss: f64,
    /// Steps that were skipped since they overflowed in f16.
    pub(crate) overflowed: usize,
    /// All steps.
    pub(crate) steps: usize,
    /// `None` if all steps were done before the run was resumed, as for the next.
    pub(crate) images_per_second: Option<f64>,
    pub(crate) waiting_share: Option<f64>,
    pub(crate) contrastive_top1: f64,
    pub(crate) representation: Option<Representation>,
}

/// Sums over the steps of an epoch.
#[derive(Clone, Copy, Default)]
pub(crate) struct EpochSums {
    pub(crate) steps: usize,
    /// Steps that overflowed in f16.
    pub(crate) overflowed: usize,
    /// Examples since the run began or was resumed.
    pub(crate) examples: usize,
    /// Steps with a finite loss. The sums below are over these.
    pub(crate) finite: usize,
    pub(crate) loss: f64,
    pub(crate) contrastive_top1: f64,
}

impl EpochSums {
    /// The sums of the steps among `lines`, in their order.
    pub(crate) fn of(lines: &[MetricsLine]) -> Self {
        let mut sums = Self::default();
        for line in lines {
            if let MetricsLine::Step { loss, contrastive_top1, overflowed, .. } = line {
                sums.add(loss.unwrap_or(f64::NAN), *contrastive_top1, *overflowed, 0);
            }
        }
        sums
    }

    /// Adds a step of `examples` examples.
    pub(crate) fn add(
        &mut self,
        loss: f64,
        contrastive_top1: f64,
        overflowed: bool,
        examples: usize,
    ) {
        self.steps += 1;
        self.overflowed += usize::from(overflowed);
        self.examples += examples;
        if loss.is_finite() {
            self.finite += 1;
            self.loss += loss;
            self.contrastive_top1 += contrastive_top1;
        }
    }
}
