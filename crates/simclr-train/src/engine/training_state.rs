//! What a run changes as it goes.

use burn::optim::ModuleOptimizer;
use simclr_model::{Encoder, SimClr};

/// Model and optimiser between two steps: with the step's number, all that a checkpoint needs.
pub(crate) struct TrainingState<E> {
    pub(crate) model: SimClr<E>,
    pub(crate) optimizer: ModuleOptimizer,
}

impl<E: Encoder> TrainingState<E> {
    pub(crate) fn new(model: SimClr<E>, optimizer: ModuleOptimizer) -> Self {
        Self { model, optimizer }
    }
}
