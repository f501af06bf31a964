//! Which optimiser, and with what.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// The optimiser of a run. Its learning rate is the schedule's, see
/// [`PretrainConfig::learning_rate`](crate::PretrainConfig::learning_rate).
///
/// Weight decay applies to every parameter, as in PyTorch unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum OptimizerConfig {
    /// Adam with decoupled weight decay; betas 0.9 and 0.999, epsilon 1e-8, as in PyTorch.
    AdamW {
        /// Share of each weight that a step of learning rate 1 takes away, at least 0.
        weight_decay: f32,
    },
    /// Stochastic gradient descent; weight decay is added to the gradient, as in PyTorch.
    Sgd {
        /// Momentum in 0..1; 0 is none.
        momentum: f64,
        /// Looks ahead by one momentum step.
        nesterov: bool,
        /// Factor of the weights in the gradient, at least 0.
        weight_decay: f32,
    },
}

impl OptimizerConfig {
    pub(crate) fn check(self) -> Result<(), TrainError> {
        let (Self::AdamW { weight_decay } | Self::Sgd { weight_decay, .. }) = self;
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            let expected = "finite and at least 0";
            return Err(TrainError::config("optimizer.weight_decay", expected, weight_decay));
        }
        if let Self::Sgd { momentum, nesterov, .. } = self {
            if !(0.0..1.0).contains(&momentum) {
                return Err(TrainError::config("optimizer.momentum", "in 0..1", momentum));
            }
            if nesterov && momentum == 0.0 {
                let expected = "above 0 for Nesterov's look-ahead";
                return Err(TrainError::config("optimizer.momentum", expected, momentum));
            }
        }
        Ok(())
    }

    pub(crate) fn init(self) -> ModuleOptimizer {
        match self {
            Self::AdamW { weight_decay } => {
                AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay).init()
            }
            Self::Sgd { momentum, nesterov, weight_decay } => {
                let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
                let momentum = (momentum > 0.0).then(|| {
                    MomentumConfig::new()
                        .with_momentum(momentum)
                        .with_dampening(0.0)
                        .with_nesterov(nesterov)
                });
                SgdConfig::new().with_weight_decay(decay).with_momentum(momentum).init()
            }
        }
    }
}
