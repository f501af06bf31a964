//! Running averages of several copies of a module.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

/// The mean of the buffers (running averages of batch normalisation) of modules that took part in the
/// same step, each from the same start: what they are after the step, whichever device ran which chunk.
#[derive(Default)]
pub(crate) struct BufferMean {
    sums: HashMap<ParamId, (Vec<f64>, usize)>,
}

impl BufferMean {
    pub(crate) fn add(&mut self, module: &impl Module) {
        module.visit(&mut Adding(&mut self.sums));
    }

    /// Sets the buffers of `module`; its parameters stay as they are.
    pub(crate) fn write_to(&self, module: &impl Module) {
        // A buffer is shared by all clones of a module, so that a clone is as good as the module.
        module.clone().map(&mut Writing(&self.sums));
    }
}

/// Whether a module has batch statistics: buffers that it updates by itself. In a trainable module they
/// are what requires no gradient, beside frozen parameters.
pub(crate) fn has_buffers(module: &impl Module) -> bool {
    struct Search(bool);
    impl ModuleVisitor for Search {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= D == 1 && !param.is_require_grad();
        }
    }
    let mut search = Search(false);
    module.visit(&mut search);
    search.0
}

struct Adding<'a>(&'a mut HashMap<ParamId, (Vec<f64>, usize)>);

impl ModuleVisitor for Adding<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D > 1 {
            return; // Averages have one number per channel; this leaves the large weights alone.
        }
        let values = param.val().into_data().convert::<f64>();
        let values = values.iter::<f64>();
        match self.0.entry(param.id) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert((values.collect(), 1));
            }
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                let (sums, count) = entry.get_mut();
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                *count += 1;
            }
        }
    }
}

struct Writing<'a>(&'a HashMap<ParamId, (Vec<f64>, usize)>);

impl ModuleMapper for Writing<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((sums, count)) = self.0.get(&param.id).filter(|_| !param.is_require_grad()) else {
            return param;
        };
        param.map(|old| {
            let mean: Vec<f64> = sums.iter().map(|sum| sum / *count as f64).collect();
            let mean = TensorData::new(mean, old.dims()).convert_dtype(old.dtype());
            Tensor::from_data(mean, &old.device())
        })
    }
}
