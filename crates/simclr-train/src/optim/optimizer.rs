//! The optimiser of a run, and its settings.

use std::fmt;
use std::sync::Arc;

use burn::module::{Module, ParamGroup};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    Adam, AdamConfig, AdamW, AdamWConfig, ModuleOptimizer, Optimizer, Sgd, SgdConfig,
};
use serde::{Deserialize, Serialize};
use simclr_model::ModuleTensor;
use simclr_range::OutOfRange;

use crate::optim::adam::AdamRule;
use crate::optim::decay_scope::{DecayScope, is_one_dimensional, trained_parameters};
use crate::optim::lars::Lars;
use crate::optim::rule::Rule;
use crate::optim::sgd::SgdRule;

/// The optimiser of a run. Its learning rate follows a schedule, see
/// [`TrainConfig::learning_rate`](crate::TrainConfig::learning_rate).
///
/// In a config file its `kind` is enough: the other fields have the defaults that their docs name.
///
/// ```
/// use simclr_train::OptimizerConfig;
///
/// let sgd: OptimizerConfig = serde_json::from_str(r#"{ "kind": "sgd" }"#)?;
/// assert_eq!(sgd.to_string(), "SGD with momentum 0.9, weight decay 0.0001");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum OptimizerConfig {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019); betas 0.9 and 0.999, epsilon 1e-8, as in PyTorch.
    AdamW {
        /// The share of each weight that a step at learning rate 1 subtracts, at least 0; default 1e-4.
        #[serde(default = "usual_weight_decay")]
        weight_decay: f32,
        /// The parameters that decay.
        #[serde(default)]
        decay_scope: DecayScope,
    },
    /// Adam (Kingma and Ba 2015) as PyTorch's `torch.optim.Adam`: weight decay is added to the gradient, before its
    /// moments are taken; betas 0.9 and 0.999, epsilon 1e-8.
    Adam {
        /// The factor of the weights that are added to the gradient, at least 0; default 1e-4.
        #[serde(default = "usual_weight_decay")]
        weight_decay: f32,
        /// The parameters that decay.
        #[serde(default)]
        decay_scope: DecayScope,
    },
    /// Stochastic gradient descent; weight decay is added to the gradient, as in PyTorch.
    Sgd {
        /// Momentum in 0..1; 0 is none; default 0.9.
        #[serde(default = "usual_momentum")]
        momentum: f64,
        /// Whether momentum looks one step ahead, as Nesterov's does; by default it doesn't.
        #[serde(default)]
        nesterov: bool,
        /// The factor of the weights that are added to the gradient, at least 0; default 1e-4.
        #[serde(default = "usual_weight_decay")]
        weight_decay: f32,
        /// The parameters that decay.
        #[serde(default)]
        decay_scope: DecayScope,
    },
    /// [`Lars`] as google's SimCLR uses it: batch norm's gamma and beta and all biases have neither
    /// weight decay nor adaptation.
    Lars {
        /// Momentum in 0..1; default 0.9, google's.
        #[serde(default = "usual_momentum")]
        momentum: f64,
        /// The factor of the weights that are added to the gradient, at least 0; default 1e-4.
        #[serde(default = "usual_weight_decay")]
        weight_decay: f32,
        /// The length of a step at rate 1, as a share of the weight's length, above 0; default 0.001, google's.
        #[serde(default = "usual_trust_coefficient")]
        trust_coefficient: f64,
    },
}

fn usual_momentum() -> f64 {
    0.9
}

/// What google's README and the SimCLR tutorials take, whatever their optimiser. With one value for all kinds, a change
/// of the kind alone changes nothing else.
fn usual_weight_decay() -> f32 {
    1e-4
}

fn usual_trust_coefficient() -> f64 {
    0.001
}

impl OptimizerConfig {
    /// `AdamW` with weight decay on every parameter, PyTorch's default.
    #[must_use]
    pub fn adamw(weight_decay: f32) -> Self {
        Self::AdamW { weight_decay, decay_scope: DecayScope::All }
    }

    /// Adam as in PyTorch, with weight decay on every parameter.
    #[must_use]
    pub fn adam(weight_decay: f32) -> Self {
        Self::Adam { weight_decay, decay_scope: DecayScope::All }
    }

    /// Stochastic gradient descent with Nesterov's momentum of 0.9, and weight decay on every
    /// parameter.
    #[must_use]
    pub fn nesterov(weight_decay: f32) -> Self {
        let decay_scope = DecayScope::All;
        Self::Sgd { momentum: usual_momentum(), nesterov: true, weight_decay, decay_scope }
    }

    /// LARS with momentum 0.9 and trust coefficient 0.001: google's defaults.
    #[must_use]
    pub fn lars(weight_decay: f32) -> Self {
        let (momentum, trust_coefficient) = (usual_momentum(), usual_trust_coefficient());
        Self::Lars { momentum, weight_decay, trust_coefficient }
    }

    pub(crate) fn check(self) -> Result<(), OutOfRange> {
        let weight_decay = self.weight_decay();
        OutOfRange::unless(
            weight_decay.is_finite() && weight_decay >= 0.0,
            "optimizer.weight_decay",
            "finite and at least 0",
            weight_decay,
        )?;
        if let Self::Sgd { momentum, .. } | Self::Lars { momentum, .. } = self {
            let legal = (0.0..1.0).contains(&momentum);
            OutOfRange::unless(legal, "optimizer.momentum", "in 0..1", momentum)?;
        }
        if let Self::Sgd { momentum, nesterov: true, .. } = self {
            let expected = "above 0 for Nesterov's look-ahead";
            OutOfRange::unless(momentum > 0.0, "optimizer.momentum", expected, momentum)?;
        }
        if let Self::Lars { trust_coefficient: trust, .. } = self {
            let (legal, expected) = (trust.is_finite() && trust > 0.0, "finite and above 0");
            OutOfRange::unless(legal, "optimizer.trust_coefficient", expected, trust)?;
        }
        Ok(())
    }

    pub(crate) fn weight_decay(self) -> f32 {
        let (Self::AdamW { weight_decay, .. }
        | Self::Adam { weight_decay, .. }
        | Self::Sgd { weight_decay, .. }
        | Self::Lars { weight_decay, .. }) = self;
        weight_decay
    }

    /// The optimiser of `module`.
    ///
    /// It knows parameters by their path in `module`, so that it fits neither a part of the module nor one around it.
    #[must_use]
    pub fn init(self, module: &impl Module) -> ModuleOptimizer {
        match self {
            Self::AdamW { weight_decay, decay_scope } => {
                with_scope(decay_scope, module, adamw(weight_decay), adamw(0.0))
            }
            Self::Adam { weight_decay, decay_scope } => {
                with_scope(decay_scope, module, adam(weight_decay), adam(0.0))
            }
            Self::Sgd { momentum, nesterov, weight_decay, decay_scope } => {
                let sgd = |weight_decay| sgd(momentum, nesterov, weight_decay);
                with_scope(decay_scope, module, sgd(weight_decay), sgd(0.0))
            }
            Self::Lars { momentum, weight_decay, trust_coefficient } => {
                let lars = lars(momentum, weight_decay, trust_coefficient);
                with_scope(DecayScope::Weights, module, lars, lars.plain())
            }
        }
    }

    /// How parameters are moved: those that [decay](Self::decays), and the others.
    pub(crate) fn rules(self) -> [Arc<dyn Rule>; 2] {
        match self {
            Self::AdamW { weight_decay, .. } | Self::Adam { weight_decay, .. } => {
                let decoupled = matches!(self, Self::AdamW { .. });
                [weight_decay, 0.0]
                    .map(|weight_decay| Arc::new(AdamRule { weight_decay, decoupled }) as _)
            }
            Self::Sgd { momentum, nesterov, weight_decay, .. } => [weight_decay, 0.0]
                .map(|weight_decay| Arc::new(SgdRule { momentum, nesterov, weight_decay }) as _),
            Self::Lars { momentum, weight_decay, trust_coefficient } => {
                let lars = lars(momentum, weight_decay, trust_coefficient);
                [Arc::new(lars), Arc::new(lars.plain())]
            }
        }
    }

    /// Whether weight decay, and LARS's adaptation, are for this parameter.
    pub(crate) fn decays(self, parameter: &ModuleTensor) -> bool {
        match self.decay_scope() {
            DecayScope::All => true,
            DecayScope::Weights => !is_one_dimensional(parameter),
        }
    }

    /// The parameters that decay.
    pub(crate) fn decay_scope(self) -> DecayScope {
        match self {
            Self::AdamW { decay_scope, .. }
            | Self::Adam { decay_scope, .. }
            | Self::Sgd { decay_scope, .. } => decay_scope,
            Self::Lars { .. } => DecayScope::Weights,
        }
    }
}

/// `decaying` for the parameters in the scope, `plain` for the others.
fn with_scope<O: Optimizer>(
    scope: DecayScope,
    module: &impl Module,
    decaying: O,
    plain: O,
) -> ModuleOptimizer {
    let optimizer = ModuleOptimizer::from(decaying);
    match scope {
        DecayScope::All => optimizer,
        DecayScope::Weights => {
            let excluded = trained_parameters(module).into_iter().filter(is_one_dimensional);
            let paths: Vec<String> = excluded.map(|parameter| parameter.group_path).collect();
            optimizer.with_group(ParamGroup::from_paths(paths), plain, None)
        }
    }
}

fn adamw(weight_decay: f32) -> AdamW {
    AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay).build()
}

fn adam(weight_decay: f32) -> Adam {
    AdamConfig::new().with_epsilon(1e-8).with_weight_decay(added_decay(weight_decay)).build()
}

/// Weight decay that is added to the gradient.
fn added_decay(weight_decay: f32) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay))
}

fn sgd(momentum: f64, nesterov: bool, weight_decay: f32) -> Sgd {
    let decay = added_decay(weight_decay);
    let momentum = (momentum > 0.0).then(|| {
        MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(nesterov)
    });
    SgdConfig::new().with_weight_decay(decay).with_momentum(momentum).build()
}

fn lars(momentum: f64, weight_decay: f32, trust_coefficient: f64) -> Lars {
    let weight_decay = f64::from(weight_decay);
    Lars { momentum, weight_decay, trust_coefficient, adapt: true }
}

/// In words: `LARS, momentum 0.9, trust coefficient 0.001, weight decay 0.0001`.
impl fmt::Display for OptimizerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AdamW { .. } => f.write_str("AdamW")?,
            Self::Adam { .. } => f.write_str("Adam")?,
            Self::Sgd { momentum, nesterov: true, .. } => {
                write!(f, "SGD with Nesterov momentum {momentum}")?;
            }
            Self::Sgd { momentum, .. } => write!(f, "SGD with momentum {momentum}")?,
            Self::Lars { momentum, trust_coefficient, .. } => {
                write!(f, "LARS, momentum {momentum}, trust coefficient {trust_coefficient}")?;
            }
        }
        write!(f, ", weight decay {}", self.weight_decay())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_alone_is_enough_and_a_field_of_another_kind_is_named() {
        let read = |text: &str| toml::from_str::<OptimizerConfig>(text);
        let kinds = ["adamw", "adam", "sgd", "lars"];
        let found = kinds.map(|kind| read(&format!("kind = \"{kind}\"")).unwrap());
        let (momentum, weight_decay, decay_scope) = (0.9, 1e-4, DecayScope::All);
        let sgd = OptimizerConfig::Sgd { momentum, nesterov: false, weight_decay, decay_scope };
        let [adamw, adam, lars] =
            [OptimizerConfig::adamw, OptimizerConfig::adam, OptimizerConfig::lars]
                .map(|kind| kind(weight_decay));
        assert_eq!(found, [adamw, adam, sgd, lars]);
        for optimizer in found {
            let text = toml::to_string(&optimizer).unwrap();
            assert_eq!(read(&text).unwrap(), optimizer, "{text}");
        }
        let error = read("kind = \"adam\"\nmomentum = 0.9").unwrap_err();
        assert!(error.message().contains("unknown field `momentum`"), "{error}");
    }
}
