//! The state that each step changes.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use simclr_model::{Encoder, SimClr};
use simclr_nn::launches_kernels;

use crate::engine::contrastive_step::{ContrastiveStep, StepOutput};
use crate::engine::loss_scale::{LossScale, Verdict};
use crate::engine::packed::Packed;
use crate::engine::running_statistics::running_statistics;
use crate::engine::train_config::TrainConfig;
use crate::error::TrainError;
use crate::optim::grouped_optimizer::GroupedOptimizer;
use crate::views::view_source::LabelledViews;

/// Model, optimiser and loss scale between two steps. Together with the epoch's number they make a checkpoint.
pub(crate) struct TrainingState<E> {
    pub(crate) model: SimClr<E>,
    pub(crate) optimizer: GroupedOptimizer,
    /// In f16 alone.
    pub(crate) scale: Option<LossScale>,
}

impl<E: Encoder> TrainingState<E> {
    /// The state before the first step of a model on `device`.
    pub(crate) fn new(model: SimClr<E>, config: &TrainConfig, device: &Device) -> Self {
        let mut optimizer = GroupedOptimizer::new(config.optimizer, launches_kernels(device));
        if let Some(decay) = config.ema_decay {
            optimizer = optimizer.with_average(decay);
        }
        let scale = config.precision.scales_loss().then(|| LossScale::new(device));
        Self { model, optimizer, scale }
    }

    /// The encoder to evaluate and to save, outside of any graph: with the average of the parameters, if the config asks
    /// for one.
    pub(crate) fn encoder(&self) -> E {
        self.optimizer.averaged(self.model.clone()).encoder.valid()
    }

    /// One step at this learning rate: its output, and with a loss scale its verdict; `None` if no example of the batch
    /// could be read.
    pub(crate) fn step(
        &mut self,
        step: &ContrastiveStep<E>,
        chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
        chunks_per_step: usize,
        learning_rate: f64,
    ) -> Result<Option<(StepOutput, Option<Verdict>)>, TrainError> {
        let before = self.scale.as_ref().and_then(|_| self.statistics());
        let scale = self.scale.as_ref();
        let Some((gradients, output)) = step.run(&self.model, chunks, chunks_per_step, scale)?
        else {
            return Ok(None);
        };
        let gradients = self.optimizer.gather(&self.model, gradients);
        let (gradients, verdict) = match &mut self.scale {
            None => (gradients, None),
            Some(scale) => {
                let (gradients, verdict) = scale.unscale(gradients);
                (gradients, Some(verdict))
            }
        };
        let overflowed = verdict.as_ref().map(|verdict| &verdict.overflowed);
        if let (Some(overflowed), Some(before)) = (overflowed, before) {
            self.keep_statistics(&before, overflowed.clone());
        }
        self.model = self.optimizer.step(learning_rate, self.model.clone(), gradients, overflowed);
        Ok(Some((output, verdict)))
    }

    /// The running statistics of the model.
    fn statistics(&self) -> Option<Packed> {
        Packed::of(running_statistics(&self.model.valid()))
    }

    /// Takes the running statistics back to those of `before` if the step overflowed, `[1]`, which the device decides.
    fn keep_statistics(&self, before: &Packed, overflowed: Tensor<1, Bool>) {
        let Some(after) = self.statistics() else { return };
        let kept = after.with(|values| {
            let overflowed = overflowed.expand(values.shape());
            values.mask_where(overflowed, before.values())
        });
        // All clones of a module share its running statistics, so that writing to a clone is enough.
        kept.write_to(self.model.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::batch_loss::BatchLoss;
    use crate::engine::loss_scale::LossScaleRecord;
    use crate::engine::precision::Precision;
    use crate::views::view_source::Views;
    use burn::tensor::Distribution;
    use simclr_loss::{NtXent, TwoViewLoss};
    use simclr_model::{EncoderConfig, ImageEncoder, ProjectionHeadConfig, module_tensors};

    /// NT-Xent, with a gradient of NaN.
    #[derive(Debug)]
    struct NanGradient;

    impl TwoViewLoss for NanGradient {
        fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
            let loss = NtXent::new(0.5).unwrap().forward(z_a.clone(), z_b);
            loss + (z_a.clone() - z_a).square().sum().sqrt()
        }
    }

    /// Which of parameters and running statistics change in a step, and whether its loss is finite.
    fn changes(precision: Precision, loss: impl TwoViewLoss + 'static, chunks: usize) -> [bool; 3] {
        let device = Device::flex().autodiff();
        let encoder: EncoderConfig = "resnet18x0.03125_cifar".parse().unwrap();
        let encoder = encoder.init(1, &device).unwrap();
        let head = ProjectionHeadConfig { output_size: 4, ..ProjectionHeadConfig::default() };
        let head = head.init(16, 2, &device).unwrap();
        let config = TrainConfig { precision, ..TrainConfig::small() };
        let mut state = TrainingState::new(SimClr { encoder, head }, &config, &device);
        // A scale at which nothing overflows by itself.
        let record = LossScaleRecord { scale: 64.0, steady: 0 };
        state.scale = state.scale.map(|scale| scale.with(record));
        assert_eq!(state.scale.is_some(), precision == Precision::F16);

        let values = |state: &TrainingState<ImageEncoder>| -> [Vec<u32>; 2] {
            let tensors = module_tensors(&state.model.valid());
            [false, true].map(|of_statistics| {
                let tensors = tensors.iter().filter(|tensor| {
                    tensor.path.last().is_some_and(|name| name.starts_with("running_"))
                        == of_statistics
                });
                let values = tensors.map(|tensor| tensor.values().to_data_as::<f32>());
                values.flat_map(|v| v.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()).collect()
            })
        };
        let before = values(&state);
        let loss = BatchLoss::of_two(loss);
        let step =
            ContrastiveStep::new(loss, precision, vec![device.clone()], &state.model.encoder);
        let chunk = |chunk| {
            let shape = [16 / chunks, 3, 8, 8];
            let input = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let views = Views::new(input, 2, 8 / chunks);
            Ok(LabelledViews { views, labels: None, chunk })
        };
        let outcome = state.step(&step, (0..chunks).map(chunk), chunks, 0.01);
        let (output, _) = outcome.unwrap().unwrap();
        let after = values(&state);
        [before[0] != after[0], before[1] != after[1], output.loss.into_scalar::<f32>().is_finite()]
    }

    #[test]
    fn a_step_that_overflows_in_f16_changes_neither_weights_nor_running_statistics() {
        let nt_xent = || NtXent::new(0.5).unwrap();
        for chunks in [1, 2] {
            assert_eq!(changes(Precision::F16, NanGradient, chunks), [false, false, true]);
            for precision in [Precision::F32, Precision::Bf16, Precision::F16] {
                assert_eq!(changes(precision, nt_xent(), chunks), [true; 3], "{precision}");
            }
        }
    }
}
