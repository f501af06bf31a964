//! The learning-rate range test: at which rates does this model learn, on these examples?

use simclr_model::Encoder;
use simclr_range::OutOfRange;

use crate::engine::contrastive_step::ContrastiveStep;
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::rate::learning_rate_curve::{LearningRateCurve, TriedRate};
use crate::views::view_loader::ViewLoader;

/// The fewest steps that make a curve.
const LEAST_STEPS: usize = 10;
const LOWEST_RATE: f64 = 1e-7;
const HIGHEST_RATE: f64 = 10.0;

/// A learning-rate range test (Smith 2015): training steps whose rate grows by the same factor each time, until the
/// loss rises.
///
/// Run by [`Trainer::range_test`](crate::Trainer::range_test).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTest {
    lowest: f64,
    highest: f64,
    steps: usize,
}

impl Default for RangeTest {
    /// 800 steps from 1e-7 to 10, a hundred a decade. With fewer steps, a contrastive loss can stay at its chance level
    /// at every rate: a new network first makes all projections alike, and needs a hundred steps to tell them apart
    /// again.
    fn default() -> Self {
        Self { lowest: LOWEST_RATE, highest: HIGHEST_RATE, steps: 800 }
    }
}

impl RangeTest {
    /// A test of `steps` steps, at least 10, from the rate `lowest` to the rate `highest`, both finite and positive.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for `lowest`, `highest` or `steps`.
    pub fn new(lowest: f64, highest: f64, steps: usize) -> Result<Self, OutOfRange> {
        let legal = lowest.is_finite() && lowest > 0.0;
        OutOfRange::unless(legal, "range_test.lowest", "finite and positive", lowest)?;
        let expected = format!("finite and above the lowest rate, {lowest}");
        let legal = highest.is_finite() && highest > lowest;
        OutOfRange::unless(legal, "range_test.highest", expected, highest)?;
        let expected = format!("at least {LEAST_STEPS}");
        OutOfRange::unless(steps >= LEAST_STEPS, "range_test.steps", expected, steps)?;
        Ok(Self { lowest, highest, steps })
    }

    /// A test of `steps` steps, at least 10, over the default's rates.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for `steps`.
    pub fn with_steps(steps: usize) -> Result<Self, OutOfRange> {
        Self::new(LOWEST_RATE, HIGHEST_RATE, steps)
    }

    /// Steps from the lowest to the highest rate.
    #[must_use]
    pub fn steps(self) -> usize {
        self.steps
    }

    /// The rate of step `step`, counted from 0.
    fn rate(self, step: usize) -> f64 {
        let share = step as f64 / (self.steps - 1) as f64;
        self.lowest * (self.highest / self.lowest).powf(share)
    }

    /// Trains until the last step or until the loss rises, and notes the losses. It asks `stop` before each step.
    pub(crate) fn run<E: Encoder>(
        self,
        mut state: TrainingState<E>,
        step: &ContrastiveStep<E>,
        views: &ViewLoader<E::Input>,
        stop: impl Fn() -> bool,
    ) -> Result<LearningRateCurve, TrainError> {
        let mut curve = LearningRateCurve {
            tried: Vec::new(),
            chance_level: step.chance_level(views.layout().batch_size, views.views_per_example()),
            diverged: false,
        };
        let mut steps = views.epoch(1);
        let mut number = 0;
        while let Some(chunks) = steps.next_step() {
            if stop() {
                return Err(TrainError::Interrupted);
            }
            let chunks_per_step = chunks.chunks();
            let rate = self.rate(number);
            number += 1;
            let Some((output, _)) = state.step(step, chunks, chunks_per_step, rate)? else {
                continue; // No example of the batch could be read.
            };
            let loss = output.loss.into_scalar::<f64>(); // Waits for the device.
            if loss.is_finite() {
                curve.tried.push(TriedRate { rate, loss });
            }
            curve.diverged = !loss.is_finite() || curve.has_risen();
            if curve.diverged {
                break;
            }
        }
        Ok(curve)
    }
}
