//! How an optimiser moves parameters.

use burn::optim::LearningRate;
use burn::tensor::{Bool, Tensor};

use crate::optim::blocks::Blocks;
use crate::optim::optimizer_state::StateNames;

/// The rule by which an optimiser moves parameters that are packed into one vector. Its whole state is tensors, so that
/// the device can choose between the state before a step and the one after; the step counts of Burn's optimisers are on
/// the host.
pub(crate) trait Rule: Send + Sync {
    /// The parts of the state. Vectors are 0 before the first step, scalars 1.
    fn state_names(&self) -> StateNames;

    /// Whether the step of a parameter depends on its length, so that [`Blocks::norms`] is called.
    fn needs_norms(&self) -> bool {
        false
    }

    /// The average of the values over the steps, `[values]`, or the values where no step has moved them; `None` from a rule that
    /// keeps no average.
    #[expect(unused_variables, reason = "rules that average need the state")]
    fn average(&self, values: &Tensor<1>, state: &RuleState) -> Option<Tensor<1>> {
        None
    }

    /// The values and the state after a step. `values` and `gradient` are `[values]`.
    fn step(
        &self,
        rate: LearningRate,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: &RuleState,
        blocks: &Blocks,
    ) -> (Tensor<1>, RuleState);
}

/// What a rule remembers between two steps.
#[derive(Clone)]
pub(crate) struct RuleState {
    /// In the order of [`StateNames::vectors`], `[values]` each.
    pub(crate) vectors: Vec<Tensor<1>>,
    /// In the order of [`StateNames::scalars`], `[1]` each.
    pub(crate) scalars: Vec<Tensor<1>>,
}

impl RuleState {
    /// This state, or `before` where the step is revoked, `[1]`: the device decides.
    pub(crate) fn unless(self, revoked: &Tensor<1, Bool>, before: &Self) -> Self {
        let kept = |new: Vec<Tensor<1>>, old: &[Tensor<1>]| {
            new.into_iter().zip(old).map(|(new, old)| unless(new, revoked, old)).collect()
        };
        Self {
            vectors: kept(self.vectors, &before.vectors),
            scalars: kept(self.scalars, &before.scalars),
        }
    }
}

/// `new`, or `old` where the step is revoked.
pub(crate) fn unless(new: Tensor<1>, revoked: &Tensor<1, Bool>, old: &Tensor<1>) -> Tensor<1> {
    let everywhere = revoked.clone().expand(old.shape());
    new.mask_where(everywhere, old.clone())
}
