//! Dropping single units at random, for each example by itself.

use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;

use super::example_keys::{ExampleKeys, is_training};
use crate::weight_init::WeightInit;

/// Sets units of an example to zero with some probability, and scales the others so that their mean doesn't change
/// (Srivastava et al. 2014, "Dropout"). Only in training.
#[derive(Module, Debug)]
pub(crate) struct Dropout {
    probability: f64,
    /// The layer's own offset of the draws, in radians.
    phase: f64,
    training: Param<Flag>,
}

impl Dropout {
    /// `probability` is in 0..1. Without any, nothing is drawn from `init`.
    pub(crate) fn new(probability: f64, init: &mut WeightInit) -> Option<Self> {
        (probability > 0.0).then(|| Self {
            probability,
            phase: init.uniform() * std::f64::consts::TAU,
            training: Param::from_bool(true),
        })
    }

    /// `units` is `[n, units]`.
    pub(crate) fn forward(&self, units: Tensor<2>, keys: &ExampleKeys) -> Tensor<2> {
        if !is_training(&self.training, &units) {
            return units;
        }
        let [_, count] = units.dims();
        let scale = keys.kept(self.probability, self.phase, count);
        units.clone() * scale.cast(units.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, Tolerance};

    const EXAMPLES: usize = 40;
    const UNITS: usize = 500;

    fn vectors(seed: u64, device: &Device) -> Tensor<2> {
        device.seed(seed);
        Tensor::random([EXAMPLES, 30], Distribution::Normal(0.0, 1.0), device)
    }

    fn layer(probability: f64, seed: u64, device: &Device) -> Dropout {
        Dropout::new(probability, &mut WeightInit::new(seed, device)).unwrap()
    }

    /// What becomes of ones, row by row.
    fn output(layer: &Dropout, vectors: &Tensor<2>) -> Vec<Vec<f32>> {
        let ones = Tensor::ones([vectors.dims()[0], UNITS], &vectors.device());
        let output = layer.forward(ones, &ExampleKeys::of_vectors(vectors));
        let values: Vec<f32> = output.into_data().try_to_vec().unwrap();
        values.chunks(UNITS).map(<[f32]>::to_vec).collect()
    }

    fn share_apart(a: &[f32], b: &[f32]) -> f64 {
        let apart = a.iter().zip(b).filter(|(a, b)| (**a == 0.0) != (**b == 0.0)).count();
        apart as f64 / a.len() as f64
    }

    #[test]
    fn units_are_dropped_as_often_as_asked_and_scaled_otherwise() {
        let device = Device::flex().autodiff();
        for probability in [0.05, 0.2, 0.5] {
            let rows = output(&layer(probability, 1, &device), &vectors(3, &device));
            let all = rows.concat();
            let dropped = all.iter().filter(|&&x| x == 0.0).count() as f64 / all.len() as f64;
            // Four standard deviations.
            let error = 4.0 * (probability * (1.0 - probability) / all.len() as f64).sqrt();
            assert!((dropped - probability).abs() < error, "{probability}: {dropped}");
            let kept = (1.0 / (1.0 - probability)) as f32;
            assert!(all.iter().all(|&x| x == 0.0 || (x - kept).abs() < 1e-5));
        }
    }

    #[test]
    fn an_example_loses_the_same_units_in_any_batch_and_others_lose_others() {
        let device = Device::flex().autodiff();
        let layer = layer(0.5, 1, &device);
        let vectors = vectors(3, &device);
        let whole = output(&layer, &vectors);
        let part = output(&layer, &vectors.clone().slice([7..9, 0..30]));
        assert_eq!(part, whole[7..9]);
        for other in &whole[1..] {
            let apart = share_apart(&whole[0], other);
            assert!((apart - 0.5).abs() < 0.12, "two examples agree in {apart}");
        }
        // A unit is not lost by all examples together either.
        for unit in 0..UNITS {
            let lost = whole.iter().filter(|row| row[unit] == 0.0).count();
            assert!((5..=35).contains(&lost), "{lost} of {EXAMPLES} lose unit {unit}");
        }
    }

    #[test]
    fn standardised_vectors_and_other_layers_have_draws_of_their_own() {
        let device = Device::flex().autodiff();
        let raw = vectors(5, &device);
        let centred = raw.clone() - raw.clone().mean_dim(1);
        let standardised = centred.clone() / centred.powi_scalar(2).mean_dim(1).sqrt();
        let one = output(&layer(0.5, 1, &device), &standardised);
        let other = output(&layer(0.5, 2, &device), &standardised);
        for apart in [share_apart(&one[0], &one[1]), share_apart(&one.concat(), &other.concat())] {
            assert!((apart - 0.5).abs() < 0.1, "they agree in {apart}");
        }
    }

    #[test]
    fn nothing_is_dropped_outside_training() {
        let device = Device::flex();
        let vectors = vectors(3, &device);
        layer(0.9, 1, &device)
            .forward(vectors.clone(), &ExampleKeys::of_vectors(&vectors))
            .into_data()
            .assert_approx_eq::<f32>(&vectors.into_data(), Tolerance::absolute(0.0));
    }
}
