//! Adam whose step count is on the device.

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use crate::optim::revocable::Rule;

/// Adam (Kingma and Ba 2015), or `AdamW` (Loshchilov and Hutter 2019): the steps of Burn's, whose count is on the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceAdam {
    pub(crate) weight_decay: f32,
    /// Whether weight decay is apart from the gradient, as in `AdamW`.
    pub(crate) decoupled: bool,
}

// The values of PyTorch.
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Rule for DeviceAdam {
    /// The two moments; then `beta_1` and `beta_2` to the power of the number of steps, `[1; D]`.
    fn start<const D: usize>(&self, tensor: &Tensor<D>) -> Vec<Tensor<D>> {
        let one = Tensor::ones([1; D], (&tensor.device(), tensor.dtype()));
        vec![tensor.zeros_like(), tensor.zeros_like(), one.clone(), one]
    }

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: &[Tensor<D>],
    ) -> (Tensor<D>, Vec<Tensor<D>>) {
        let [first, second, power_1, power_2] = [0, 1, 2, 3].map(|index| state[index].clone());
        let decay = f64::from(self.weight_decay);
        let (tensor, gradient) = if self.decoupled {
            (tensor * (1.0 - rate * decay), gradient)
        } else {
            (tensor.clone(), gradient + tensor * decay)
        };
        let first = first * BETA_1 + gradient.clone() * (1.0 - BETA_1);
        let second = second * BETA_2 + gradient.square() * (1.0 - BETA_2);
        let (power_1, power_2) = (power_1 * BETA_1, power_2 * BETA_2);
        // The bias corrections, [1; D].
        let of_first = power_1.clone().neg() + 1.0;
        let of_second = (power_2.clone().neg() + 1.0).sqrt();
        let denominator = second.clone().sqrt() / of_second + EPSILON;
        let delta = first.clone() / of_first / denominator;
        (tensor - delta * rate, vec![first, second, power_1, power_2])
    }
}
