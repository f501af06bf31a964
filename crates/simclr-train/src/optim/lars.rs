//! LARS, the optimiser of SimCLR's published recipes.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use crate::optim::blocks::Blocks;
use crate::optim::optimizer_state::StateNames;
use crate::optim::rule::{Rule, RuleState};

/// Layer-wise adaptive rate scaling (You et al. 2017), as google's SimCLR has it
/// (`lars_optimizer.py` with its defaults `classic_momentum=True` and `use_nesterov=False`).
///
/// The step of a parameter tensor w with gradient g is proportional to the length of w and independent of that of g:
///
/// ```text
/// g'    = g + weight_decay * w
/// trust = trust_coefficient * |w| / |g'|     if both norms are above 0, else 1
/// v     = momentum * v + trust * rate * g'   v is 0 before the first step
/// w     = w - v
/// ```
///
/// The rate is inside v ("classic" momentum), so that a gradient keeps the rate of its own step when the schedule
/// lowers the rate. PyTorch's SGD, and LARS built on it, multiplies v by the current rate instead.
///
/// Normalisation parameters and biases need neither weight decay nor adaptation:
/// [`OptimizerConfig::init`](crate::OptimizerConfig::init) gives them [`Lars::plain`].
///
/// Norms stay on the device; no step waits for it.
///
/// ```
/// use burn::optim::Optimizer;
/// use burn::tensor::{Device, Tensor};
/// use simclr_train::Lars;
///
/// let device = Device::flex();
/// let w = Tensor::<1>::from_data([3.0, 4.0], &device); // |w| = 5
/// let g = Tensor::<1>::from_data([0.0, 0.1], &device); // |g| = 0.1
/// let lars = Lars { momentum: 0.9, weight_decay: 0.0, trust_coefficient: 0.001, adapt: true };
/// let (w, _) = lars.step(2.0, w, g, None);
/// // The step is 2.0 * 0.001 * 5 = 0.01 long.
/// assert!((w.into_data().iter::<f64>().nth(1).unwrap() - 3.99).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lars {
    /// The share of v that the next step keeps, in 0..1.
    pub momentum: f64,
    /// The factor of the weights that are added to the gradient, at least 0.
    pub weight_decay: f64,
    /// The length of a step at rate 1, as a share of the tensor's length, above 0; google: 0.001.
    pub trust_coefficient: f64,
    /// Whether the step is proportional to the tensor's length; if not, trust is 1.
    pub adapt: bool,
}

impl Lars {
    /// This optimiser without weight decay and adaptation: gradient descent with classic momentum.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { weight_decay: 0.0, adapt: false, ..self }
    }

    /// The factor of each parameter's step, `[parameters, 1]`.
    fn trust(&self, values: &Tensor<1>, gradient: &Tensor<1>, blocks: &Blocks) -> Tensor<2> {
        let (w, g) = (blocks.norms(values), blocks.norms(gradient));
        let no_direction = w.clone().equal_scalar(0.0).bool_or(g.clone().equal_scalar(0.0));
        w.div(g).mul_scalar(self.trust_coefficient).mask_fill(no_direction, 1.0)
    }
}

impl Optimizer for Lars {
    type State<const D: usize> = LarsState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<LarsState<D>>,
    ) -> (Tensor<D>, Option<LarsState<D>>) {
        let (shape, count) = (tensor.shape(), tensor.shape().num_elements());
        let (tensor, grad) = (tensor.reshape([count]), grad.reshape([count]));
        let velocity = match state {
            Some(state) => state.velocity.reshape([count]),
            None => tensor.zeros_like(),
        };
        let state = RuleState { vectors: vec![velocity], scalars: Vec::new() };
        let (tensor, after) = Rule::step(self, lr, tensor, grad, &state, &Blocks::of_one(count));
        let velocity =
            after.vectors.into_iter().next().map(|velocity| velocity.reshape(shape.clone()));
        (tensor.reshape(shape), velocity.map(|velocity| LarsState { velocity }))
    }

    fn to_device<const D: usize>(state: LarsState<D>, device: &Device) -> LarsState<D> {
        LarsState { velocity: state.velocity.to_device(device) }
    }
}

impl Rule for Lars {
    /// v.
    fn state_names(&self) -> StateNames {
        StateNames { vectors: vec![VELOCITY], scalars: Vec::new() }
    }

    fn needs_norms(&self) -> bool {
        self.adapt
    }

    fn step(
        &self,
        rate: LearningRate,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: &RuleState,
        blocks: &Blocks,
    ) -> (Tensor<1>, RuleState) {
        let gradient = match self.weight_decay {
            0.0 => gradient,
            decay => gradient + values.clone().mul_scalar(decay),
        };
        let scaled = if self.adapt {
            let trust = self.trust(&values, &gradient, blocks);
            blocks.scaled(gradient, trust.mul_scalar(rate))
        } else {
            gradient.mul_scalar(rate)
        };
        let velocity = state.vectors[0].clone().mul_scalar(self.momentum) + scaled;
        (values - velocity.clone(), RuleState { vectors: vec![velocity], scalars: Vec::new() })
    }
}

/// The state of [`Lars`] for one parameter between steps.
#[derive(Debug, Clone)]
pub struct LarsState<const D: usize> {
    /// v, the last step; it includes the learning rate.
    velocity: Tensor<D>,
}

const VELOCITY: &str = "velocity";

// By hand, since burn-optim's derive of this trait works only inside burn-optim.
impl<const D: usize> RecordState for LarsState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let data = src.take_tensor(prefix, VELOCITY)?;
        Some(Self { velocity: Tensor::from_data(data, device) })
    }
}
