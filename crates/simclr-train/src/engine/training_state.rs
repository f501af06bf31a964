//! The state that each step changes.

use burn::optim::ModuleOptimizer;
use simclr_model::{Encoder, SimClr};

/// Model and optimiser between two steps. Together with the epoch's number they make a checkpoint.
pub(crate) struct TrainingState<E> {
    pub(crate) model: SimClr<E>,
    pub(crate) optimizer: ModuleOptimizer,
}

impl<E: Encoder> TrainingState<E> {
    pub(crate) fn new(model: SimClr<E>, optimizer: ModuleOptimizer) -> Self {
        Self { model, optimizer }
    }
}
