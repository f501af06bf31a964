//! The learning-rate finder: which rates does this model learn at, on these images?

use burn::tensor::Device;
use simclr_data::Splits;
use simclr_model::Encoder;

use crate::contrastive_step::ContrastiveStep;
use crate::error::TrainError;
use crate::learning_rate::LearningRate;
use crate::learning_rate_curve::{LearningRateCurve, TriedRate};
use crate::pretraining::Pretraining;
use crate::training_state::TrainingState;
use crate::view_loader::{StepLayout, ViewLoader};

/// A learning-rate range test (Smith 2015): training steps at a rate that grows from step to step by
/// the same factor, until the loss rises.
///
/// Run by [`Pretraining::range_test`](crate::Pretraining::range_test).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTest {
    /// The first step's rate, finite and positive.
    pub lowest: f64,
    /// The last step's rate, finite and above `lowest`.
    pub highest: f64,
    /// Steps from the lowest to the highest rate, at least 10.
    pub steps: usize,
}

impl Default for RangeTest {
    /// 800 steps from 1e-7 to 10, a hundred a decade: with fewer, a contrastive loss can stay at that of
    /// guessing at every rate, as a new network first makes all projections alike, and takes a hundred
    /// steps to tell them apart again.
    fn default() -> Self {
        Self { lowest: 1e-7, highest: 10.0, steps: 800 }
    }
}

impl Pretraining {
    /// Tries learning rates on the run's own model, images and optimiser, see [`RangeTest`]. The run
    /// itself is untouched: the test trains a network of its own, of the same weights.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`TrainError::Interrupted`].
    pub fn range_test(
        &self,
        test: RangeTest,
        data: &Splits,
        device: &Device,
    ) -> Result<LearningRateCurve, TrainError> {
        test.check()?;
        self.config.check(data.pretrain.len())?;
        let device = device.clone().autodiff();
        let model = self.init_model(&device)?;
        let optimizer = self.config.optimizer.init(&model);
        let devices = self.devices(&device);
        let views = self.views(data)?;
        let layout = self.layout(views.len(), devices.len())?;
        let layout = StepLayout { steps_per_epoch: test.steps, ..layout };
        let views = ViewLoader::new(views, layout, self.config.seed, &devices);
        let step = self.step(devices)?;
        let guessing = step.loss_of_guessing(self.config.batch_size);
        let mut curve = LearningRateCurve { tried: Vec::new(), guessing, diverged: false };
        let interrupted = || self.interrupter.should_stop();
        test.run(&mut curve, TrainingState { model, optimizer }, &step, &views, interrupted)?;
        Ok(curve)
    }

    /// Takes the rate that a range test suggests as the schedule's peak. A run in a directory keeps the
    /// curve there, as `learning-rate.json`.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoLearningRate`] if the curve suggests none.
    pub fn with_suggested_rate(mut self, curve: LearningRateCurve) -> Result<Self, TrainError> {
        let Some(rate) = curve.suggestion() else {
            return Err(TrainError::NoLearningRate { tried: curve.tried.len() });
        };
        self.config.learning_rate = LearningRate::unscaled(rate);
        self.learning_rate_curve = Some(curve);
        Ok(self)
    }
}

/// Fewer steps make no curve.
const LEAST_STEPS: usize = 10;

impl RangeTest {
    pub(crate) fn check(self) -> Result<(), TrainError> {
        if !(self.lowest.is_finite() && self.lowest > 0.0) {
            return Err(TrainError::config(
                "range_test.lowest",
                "finite and positive",
                self.lowest,
            ));
        }
        if !(self.highest.is_finite() && self.highest > self.lowest) {
            let expected = format!("finite and above the lowest rate, {}", self.lowest);
            return Err(TrainError::config("range_test.highest", expected, self.highest));
        }
        if self.steps < LEAST_STEPS {
            let expected = format!("at least {LEAST_STEPS}");
            return Err(TrainError::config("range_test.steps", expected, self.steps));
        }
        Ok(())
    }

    /// The rate of step `step`, counted from 0.
    fn rate(self, step: usize) -> f64 {
        let share = step as f64 / (self.steps - 1) as f64;
        self.lowest * (self.highest / self.lowest).powf(share)
    }

    /// Trains until the network is spoilt, and notes the losses; `stop` is asked before each step.
    fn run<E: Encoder>(
        self,
        curve: &mut LearningRateCurve,
        mut state: TrainingState<E>,
        step: &ContrastiveStep,
        views: &ViewLoader<E::Input>,
        stop: impl Fn() -> bool,
    ) -> Result<(), TrainError> {
        let mut steps = views.epoch(1);
        let mut number = 0;
        while let Some(chunks) = steps.next_step() {
            if stop() {
                return Err(TrainError::Interrupted);
            }
            let chunks_per_step = chunks.chunks();
            let rate = self.rate(number);
            number += 1;
            let Some((gradients, output)) = step.run(&state.model, chunks, chunks_per_step)? else {
                continue; // No image of the batch could be read.
            };
            let loss = output.loss.into_scalar::<f64>(); // Waits for the device.
            if loss.is_finite() {
                curve.tried.push(TriedRate { rate, loss });
            }
            curve.diverged = !loss.is_finite() || curve.has_risen();
            if curve.diverged {
                break;
            }
            state.model = state.optimizer.step(rate, state.model, gradients);
        }
        Ok(())
    }
}
