//! Learning labels through the whole network.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use simclr_embed::EmbedError;
use simclr_model::Encoder;

use super::config::{FineTuneConfig, FineTuneOptimizer};
use super::labelled_views::LabelledViews;
use crate::classifier::network::{Network, to_host};
use crate::error::EvalError;
use crate::warmup_cosine::WarmupCosine;

/// The momentum of Chen et al. 2020.
const MOMENTUM: f64 = 0.9;

/// Fine-tuning under way.
pub(super) struct Training<'a, E: Encoder> {
    config: FineTuneConfig,
    pub(super) network: Network<E>,
    pub(super) views: LabelledViews<'a>,
    optimizer: ModuleOptimizer,
    device: Device,
}

impl<'a, E: Encoder<Input = Tensor<4>>> Training<'a, E> {
    /// `network` is trainable and on `device`, which differentiates.
    pub(super) fn new(
        config: FineTuneConfig,
        network: Network<E>,
        views: LabelledViews<'a>,
        device: Device,
    ) -> Self {
        Self { config, network, views, optimizer: optimizer(config), device }
    }

    /// Learns from every image once. Returns the mean loss and the number of images.
    pub(super) fn epoch(&mut self, epoch: usize) -> Result<(f64, usize), EvalError> {
        let FineTuneConfig { epochs, batch_size, learning_rate, .. } = self.config;
        let batches = self.views.shuffle(batch_size);
        let steps = batches.len();
        let schedule = WarmupCosine::new(learning_rate, 0, epochs * steps);
        let (mut sum, mut images) = (Tensor::<1>::zeros([1], &self.device.clone().inner()), 0);
        for (step, indices) in batches.iter().enumerate() {
            let Some(batch) = self.views.batch(epoch, indices, &self.device)? else { continue };
            let [count] = batch.labels.dims();
            let loss = cross_entropy(self.network.logits(batch.input), batch.labels);
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            let rate = schedule.rate((epoch - 1) * steps + step);
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
            // Added up on the device: reading each step's loss would wait for it.
            sum = sum + loss.without_autodiff() * count as f64;
            images += count;
        }
        if images == 0 {
            return Err(EmbedError::NoImages { set: "training set" }.into());
        }
        let loss = f64::from(to_host(sum)?[0]) / images as f64;
        if loss.is_finite() {
            Ok((loss, images))
        } else {
            Err(EvalError::Diverged { epoch, loss, learning_rate })
        }
    }
}

/// The mean of -ln softmax(logits) at the labels, `[n, classes]` and `[n]` to `[1]`.
fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
}

fn optimizer(config: FineTuneConfig) -> ModuleOptimizer {
    let decay = config.weight_decay;
    match config.optimizer {
        // Burn's own epsilon is 1e-5; this is PyTorch's.
        FineTuneOptimizer::AdamW => {
            AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(decay).init()
        }
        FineTuneOptimizer::Nesterov => SgdConfig::new()
            .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(decay)))
            .with_momentum(Some(
                MomentumConfig::new()
                    .with_momentum(MOMENTUM)
                    .with_dampening(0.0)
                    .with_nesterov(true),
            ))
            .init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn a_class_that_is_never_likely_has_neither_loss_nor_gradient() {
        let device = Device::flex().autodiff();
        let logits = [[1.0_f32, 2.0, -1e30], [0.5, 0.5, -1e30]];
        let logits = Tensor::<2>::from_data(TensorData::from(logits), &device).require_grad();
        let labels = Tensor::from_data(TensorData::from([1_i64, 0]), &device);
        let loss = cross_entropy(logits.clone(), labels);
        let gradients = loss.backward();
        let expected = f64::midpoint((1.0 + (-1.0_f64).exp()).ln(), 2.0_f64.ln());
        assert!((loss.into_scalar::<f64>() - expected).abs() < 1e-6);
        let gradient = logits.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap();
        assert!(gradient[2] == 0.0 && gradient[5] == 0.0, "{gradient:?}");
        assert!((gradient[3] + 0.25).abs() < 1e-6, "{gradient:?}");
    }
}
