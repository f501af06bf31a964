//! The parameters of a module, by path.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// A parameter or a running statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The names of the modules around it and its own. An enum's variant is no module here.
    pub(super) path: Vec<String>,
    pub(super) shape: Vec<usize>,
    /// Whether it is the matrix of a fully connected layer, which PyTorch holds transposed.
    pub(super) is_matrix: bool,
}

impl Parameter {
    /// The path as one text.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Where in a module a walk is.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
}

impl Walk {
    fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }
}

/// Every parameter and running statistic of `module`, in its order.
pub(super) fn parameters(module: &impl Module) -> Vec<Parameter> {
    #[derive(Default)]
    struct Visitor {
        walk: Walk,
        found: Vec<Parameter>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.walk.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.walk.path.clone();
            let is_matrix = D == 2 && path.last().is_some_and(|name| name == "weight");
            let shape = param.lazy_shape().to_vec();
            self.found.push(Parameter { path, shape, is_matrix });
        }
    }
    let mut visitor = Visitor::default();
    module.visit(&mut visitor);
    visitor.found
}

/// The values of every parameter, in the order of [`parameters`]: running statistics as an evaluation has them.
pub(super) fn values(module: &impl Module) -> Vec<Vec<f32>> {
    #[derive(Default)]
    struct Visitor(Vec<Vec<f32>>);
    impl ModuleVisitor for Visitor {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().to_data_as::<f32>().iter::<f32>().collect());
        }
    }
    let mut visitor = Visitor::default();
    module.valid().visit(&mut visitor);
    visitor.0
}

/// The module with the parameters that `values` names replaced, where they are: device and training state stay.
pub(super) fn with_values<M: Module>(module: M, values: HashMap<String, Vec<f32>>) -> M {
    struct Mapper {
        walk: Walk,
        values: HashMap<String, Vec<f32>>,
    }
    impl ModuleMapper for Mapper {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.walk.exit(container);
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(values) = self.values.remove(&self.walk.path.join(".")) else {
                return param;
            };
            param.map(|old| {
                let data = TensorData::new(values, old.shape());
                let new = Tensor::from_data(data, (&old.device(), old.dtype()));
                new.set_require_grad(old.is_require_grad())
            })
        }
    }
    module.map(&mut Mapper { walk: Walk::default(), values })
}

/// The transpose of a matrix of `rows` rows.
pub(super) fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
