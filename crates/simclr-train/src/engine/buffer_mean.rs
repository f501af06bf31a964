//! Running statistics of several copies of a module.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use simclr_model::{ModuleTensor, TensorRole, module_tensors};

/// The mean of the running statistics of modules that took part in the same step, each from the same start. It is what
/// the statistics become after the step, whichever device encoded which chunk.
#[derive(Default)]
pub(crate) struct BufferMean {
    /// The sum over the modules, and their number.
    sums: HashMap<ParamId, (Vec<f64>, usize)>,
}

impl BufferMean {
    /// Adds the running statistics of `module`, which must be the result of [`Module::valid`]: Burn moves the statistics
    /// of the last forward pass to their place only there.
    pub(crate) fn add(&mut self, module: &impl Module) {
        for buffer in buffers(module) {
            let empty = || (vec![0.0; buffer.count()], 0);
            let (sums, modules) = self.sums.entry(buffer.id).or_insert_with(empty);
            let values = buffer.values().to_data_as::<f64>();
            sums.iter_mut().zip(values.iter::<f64>()).for_each(|(sum, value)| *sum += value);
            *modules += 1;
        }
    }

    /// Sets the running statistics of `module`; its parameters stay as they are.
    pub(crate) fn write_to(&self, module: &impl Module) {
        // All clones of a module share its running statistics, so that writing to a clone is enough.
        module.clone().map(&mut Writing(&self.sums));
    }
}

/// Whether a module has running statistics, which depend on the batch.
pub(crate) fn has_buffers(module: &impl Module) -> bool {
    buffers(module).next().is_some()
}

/// The running statistics of a module.
pub(crate) fn buffers(module: &impl Module) -> impl Iterator<Item = ModuleTensor> {
    module_tensors(module).into_iter().filter(|tensor| tensor.role == TensorRole::Statistic)
}

struct Writing<'a>(&'a HashMap<ParamId, (Vec<f64>, usize)>);

impl ModuleMapper for Writing<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((sums, modules)) = self.0.get(&param.id) else { return param };
        param.map(|old| {
            let mean: Vec<f64> = sums.iter().map(|sum| sum / *modules as f64).collect();
            let mean = TensorData::new(mean, old.dims()).convert_dtype(old.dtype());
            Tensor::from_data(mean, &old.device())
        })
    }
}
