//! An average of the parameters, beside them.

use std::sync::Arc;

use burn::optim::LearningRate;
use burn::tensor::Tensor;

use crate::optim::blocks::Blocks;
use crate::optim::optimizer_state::StateNames;
use crate::optim::rule::{Rule, RuleState};

/// A rule that also keeps the exponential moving average of the parameters after each step (Polyak and Juditsky 1992; with
/// a decay, as in Tarvainen and Valpola 2017, section 2).
///
/// The average begins at 0 and is corrected for it, as Adam's moments are: after one step it is the parameters.
pub(crate) struct Averaging {
    pub(crate) rule: Arc<dyn Rule>,
    /// The share of the average that a step keeps, in 0..1.
    pub(crate) decay: f64,
}

impl Rule for Averaging {
    /// Those of the rule, then the uncorrected average, and the power of the decay that corrects it.
    fn state_names(&self) -> StateNames {
        let StateNames { mut vectors, mut scalars } = self.rule.state_names();
        vectors.push("average");
        scalars.push("average_power");
        StateNames { vectors, scalars }
    }

    fn needs_norms(&self) -> bool {
        self.rule.needs_norms()
    }

    fn step(
        &self,
        rate: LearningRate,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: &RuleState,
        blocks: &Blocks,
    ) -> (Tensor<1>, RuleState) {
        let (mut of_rule, average) = (state.clone(), Average::of(state));
        of_rule.vectors.pop();
        of_rule.scalars.pop();
        let (values, mut state) = self.rule.step(rate, values, gradient, &of_rule, blocks);
        let added = values.clone() * (1.0 - self.decay);
        state.vectors.push(average.uncorrected * self.decay + added);
        state.scalars.push(average.power * self.decay);
        (values, state)
    }

    fn average(&self, values: &Tensor<1>, state: &RuleState) -> Option<Tensor<1>> {
        let Average { uncorrected, power } = Average::of(state);
        let all = uncorrected.shape();
        let before_any_step = power.clone().equal_elem(1.0).expand(all.clone());
        let average = uncorrected / (power.neg() + 1.0).expand(all);
        Some(average.mask_where(before_any_step, values.clone()))
    }
}

/// The last parts of the state.
struct Average {
    /// `[values]`.
    uncorrected: Tensor<1>,
    /// The decay to the power of the steps, `[1]`.
    power: Tensor<1>,
}

impl Average {
    fn of(state: &RuleState) -> Self {
        let (Some(uncorrected), Some(power)) = (state.vectors.last(), state.scalars.last()) else {
            unreachable!("the state has the parts that the rule names");
        };
        Self { uncorrected: uncorrected.clone(), power: power.clone() }
    }
}
