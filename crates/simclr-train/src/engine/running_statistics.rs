//! The running statistics of a module.

use burn::module::Module;
use simclr_model::{ModuleTensor, TensorRole, module_tensors};

/// The running statistics of a module. Burn moves those of the last forward pass to their place only in
/// [`Module::valid`].
pub(crate) fn running_statistics(module: &impl Module) -> impl Iterator<Item = ModuleTensor> {
    module_tensors(module).into_iter().filter(|tensor| tensor.role == TensorRole::Statistic)
}

/// Whether a module has running statistics, which depend on the batch.
pub(crate) fn has_running_statistics(module: &impl Module) -> bool {
    running_statistics(module).next().is_some()
}
