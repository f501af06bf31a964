//! Dropping a residual branch at random, one example at a time.

use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;
use simclr_nn::add_scaled;

use super::example_keys::{ExampleKeys, is_training};
use crate::weight_init::WeightInit;

/// Drops a residual branch of an example with some probability, and scales the branches that stay so that their mean
/// doesn't change (Huang et al. 2016, "Deep networks with stochastic depth"). Only in training.
#[derive(Module, Debug)]
pub(crate) struct StochasticDepth {
    probability: f64,
    /// The layer's own offset of the draws, in radians.
    phase: f64,
    training: Param<Flag>,
}

impl StochasticDepth {
    /// `probability` is in 0..1.
    pub(crate) fn new(probability: f64, init: &mut WeightInit) -> Self {
        let phase = init.uniform() * std::f64::consts::TAU;
        Self { probability, phase, training: Param::from_bool(true) }
    }

    /// Whether it drops branches of `x` at all.
    pub(crate) fn drops(&self, x: &Tensor<4>) -> bool {
        self.probability > 0.0 && is_training(&self.training, x)
    }

    /// `x` plus what is left of `branch`, both of one shape, an example for each row, where branches are
    /// [dropped](Self::drops).
    pub(crate) fn add(&self, x: Tensor<4>, branch: Tensor<4>, keys: &ExampleKeys) -> Tensor<4> {
        add_scaled(x, branch, keys.kept(self.probability, self.phase, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    const IMAGES: usize = 4000;

    fn images(device: &Device) -> Tensor<4> {
        device.seed(3);
        Tensor::random([IMAGES, 3, 4, 4], Distribution::Normal(0.0, 1.0), device)
    }

    fn layer(probability: f64, seed: u64, device: &Device) -> StochasticDepth {
        StochasticDepth::new(probability, &mut WeightInit::new(seed, device))
    }

    fn output(layer: &StochasticDepth, device: &Device) -> Vec<f32> {
        let images = images(device);
        let branch = Tensor::ones([IMAGES, 1, 1, 1], device);
        let keys = ExampleKeys::of_images(&images);
        layer.add(branch.zeros_like(), branch, &keys).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_branch_is_dropped_as_often_as_asked_and_scaled_otherwise() {
        let device = Device::flex().autodiff();
        for probability in [0.05, 0.2, 0.5] {
            let output = output(&layer(probability, 1, &device), &device);
            let dropped = output.iter().filter(|&&x| x == 0.0).count() as f64 / IMAGES as f64;
            // Four standard deviations.
            let error = 4.0 * (probability * (1.0 - probability) / IMAGES as f64).sqrt();
            assert!((dropped - probability).abs() < error, "{probability}: {dropped}");
            let kept = (1.0 / (1.0 - probability)) as f32;
            assert!(output.iter().all(|&x| x == 0.0 || (x - kept).abs() < 1e-5));
        }
    }

    #[test]
    fn the_same_examples_lose_the_same_branches_and_layers_differ() {
        let device = Device::flex().autodiff();
        let first = output(&layer(0.5, 1, &device), &device);
        assert_eq!(first, output(&layer(0.5, 1, &device), &device));
        let other = output(&layer(0.5, 2, &device), &device);
        let apart = first.iter().zip(&other).filter(|(a, b)| (**a == 0.0) != (**b == 0.0)).count()
            as f64
            / IMAGES as f64;
        assert!((apart - 0.5).abs() < 0.05, "two layers agree in {apart}");
    }

    #[test]
    fn nothing_is_dropped_outside_training() {
        let device = Device::flex();
        let layer = layer(0.9, 1, &device);
        assert!(!layer.drops(&images(&device)));
        assert!(layer.drops(&images(&device.autodiff())));
    }
}
