//! Adam whose step count is on the device.

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use crate::optim::blocks::Blocks;
use crate::optim::optimizer_state::StateNames;
use crate::optim::rule::{Rule, RuleState};

/// Adam (Kingma and Ba 2015), or `AdamW` (Loshchilov and Hutter 2019): the steps of Burn's, whose count is on the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamRule {
    pub(crate) weight_decay: f32,
    /// Whether weight decay is apart from the gradient, as in `AdamW`.
    pub(crate) decoupled: bool,
}

// The values of PyTorch.
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Rule for AdamRule {
    /// The moments, and the betas to the power of the number of steps.
    fn state_names(&self) -> StateNames {
        StateNames {
            vectors: vec!["first_moment", "second_moment"],
            scalars: vec!["beta_1_power", "beta_2_power"],
        }
    }

    fn step(
        &self,
        rate: LearningRate,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: &RuleState,
        _: &Blocks,
    ) -> (Tensor<1>, RuleState) {
        let [first, second] = [0, 1].map(|index| state.vectors[index].clone());
        let [power_1, power_2] = [0, 1].map(|index| state.scalars[index].clone());
        let decay = f64::from(self.weight_decay);
        let (values, gradient) = if self.decoupled {
            (values * (1.0 - rate * decay), gradient)
        } else {
            (values.clone(), gradient + values * decay)
        };
        let first = first * BETA_1 + gradient.clone() * (1.0 - BETA_1);
        let second = second * BETA_2 + gradient.square() * (1.0 - BETA_2);
        let (power_1, power_2) = (power_1 * BETA_1, power_2 * BETA_2);
        // The bias corrections, [1].
        let of_first = power_1.clone().neg() + 1.0;
        let of_second = (power_2.clone().neg() + 1.0).sqrt();
        let denominator = second.clone().sqrt() / of_second + EPSILON;
        let delta = first.clone() / of_first / denominator;
        let state = RuleState { vectors: vec![first, second], scalars: vec![power_1, power_2] };
        (values - delta * rate, state)
    }
}
