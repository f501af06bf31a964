//! Stochastic gradient descent with a state that can be read.

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use crate::optim::revocable::Rule;

/// Stochastic gradient descent as in PyTorch: the steps of Burn's, whose velocity is private.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceSgd {
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: f32,
}

impl Rule for DeviceSgd {
    /// The velocity, if there is momentum.
    fn start<const D: usize>(&self, tensor: &Tensor<D>) -> Vec<Tensor<D>> {
        if self.momentum > 0.0 { vec![tensor.zeros_like()] } else { Vec::new() }
    }

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: &[Tensor<D>],
    ) -> (Tensor<D>, Vec<Tensor<D>>) {
        let gradient = gradient + tensor.clone() * f64::from(self.weight_decay);
        let velocity: Vec<_> =
            state.iter().map(|v| v.clone() * self.momentum + gradient.clone()).collect();
        let direction = match velocity.first() {
            None => gradient,
            Some(velocity) if self.nesterov => velocity.clone() * self.momentum + gradient,
            Some(velocity) => velocity.clone(),
        };
        (tensor - direction * rate, velocity)
    }
}
