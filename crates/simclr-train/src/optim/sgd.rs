//! Stochastic gradient descent with a state that can be read.

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use crate::optim::blocks::Blocks;
use crate::optim::optimizer_state::StateNames;
use crate::optim::rule::{Rule, RuleState};

/// Stochastic gradient descent as in PyTorch: the steps of Burn's, whose velocity is private.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SgdRule {
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: f32,
}

impl Rule for SgdRule {
    /// The velocity, if there is momentum.
    fn state_names(&self) -> StateNames {
        let vectors = if self.momentum > 0.0 { vec!["velocity"] } else { Vec::new() };
        StateNames { vectors, scalars: Vec::new() }
    }

    fn step(
        &self,
        rate: LearningRate,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: &RuleState,
        _: &Blocks,
    ) -> (Tensor<1>, RuleState) {
        let gradient = match self.weight_decay {
            0.0 => gradient,
            decay => gradient + values.clone() * f64::from(decay),
        };
        let velocity: Vec<_> =
            state.vectors.iter().map(|v| v.clone() * self.momentum + gradient.clone()).collect();
        let direction = match velocity.first() {
            None => gradient,
            Some(velocity) if self.nesterov => velocity.clone() * self.momentum + gradient,
            Some(velocity) => velocity.clone(),
        };
        (values - direction * rate, RuleState { vectors: velocity, scalars: Vec::new() })
    }
}
