//! The parameters of a module, and their gradients, as vectors.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The gradient of each parameter that has one, row by row, in the module's order.
pub(crate) fn flat_gradients(
    module: &impl Module,
    gradients: GradientsParams,
) -> Vec<(ParamId, Tensor<1>)> {
    struct Flat {
        gradients: GradientsParams,
        found: Vec<(ParamId, Tensor<1>)>,
    }
    impl ModuleVisitor for Flat {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                let count = gradient.shape().num_elements();
                self.found.push((param.id, gradient.reshape([count])));
            }
        }
    }
    let mut flat = Flat { gradients, found: Vec::new() };
    module.visit(&mut flat);
    flat.found
}

/// The module with other values in those tensors for which `values` has some, row by row and outside of any graph.
///
/// Device, number format and gradient requirement stay. A running statistic changes in all clones of the module, which
/// share it; a parameter in the returned module alone.
pub(crate) fn with_flat_values<M: Module>(
    module: M,
    values: impl FnMut(ParamId) -> Option<Tensor<1>>,
) -> M {
    struct Writing<F>(F);
    impl<F: FnMut(ParamId) -> Option<Tensor<1>>> ModuleMapper for Writing<F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(new) = (self.0)(param.id) else { return param };
            param.map(|old| {
                let new = new.reshape(old.shape()).cast(old.dtype());
                let new = if old.is_autodiff() { Tensor::from_inner(new) } else { new };
                new.set_require_grad(old.is_require_grad())
            })
        }
    }
    module.map(&mut Writing(values))
}
