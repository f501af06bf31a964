//! The parameters and running statistics of a module, one by one.

use std::collections::HashMap;
use std::fmt;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData};

/// The purpose of a tensor in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorRole {
    /// The weight of a fully connected layer, `[inputs, outputs]`. PyTorch holds it transposed.
    Matrix,
    /// Any other parameter of two dimensions or more: a kernel, a token, positions.
    Weight,
    /// A parameter of one dimension: a scale, a shift or a bias.
    Vector,
    /// A running statistic, whose name begins with `running_`. Its layer updates it; no optimiser does.
    Statistic,
}

/// One parameter or running statistic of a module; [`module_tensors`] lists them.
pub struct ModuleTensor {
    /// Burn's number for it, the same in every clone of the module.
    pub id: ParamId,
    /// The names of the modules around it, outermost first, and its own. The variants of enums are left out, so that
    /// an encoder has the same names inside an [`ImageEncoder`](crate::ImageEncoder) as alone.
    pub path: Vec<String>,
    /// The path with the variants of enums, joined by dots: the path that Burn's
    /// [`ParamGroup`](burn::module::ParamGroup) compares.
    pub group_path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its purpose.
    pub role: TensorRole,
    param: Box<dyn AnyParam>,
}

/// A [`Param`] of any number of dimensions.
trait AnyParam: Send + Sync {
    fn requires_grad(&self) -> bool;
    fn values(&self) -> Tensor<1>;
    fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>>;
}

impl<const D: usize> AnyParam for Param<Tensor<D>> {
    fn requires_grad(&self) -> bool {
        self.is_require_grad()
    }

    fn values(&self) -> Tensor<1> {
        rows(self.val().detach())
    }

    fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>> {
        self.val().grad(gradients).map(rows)
    }
}

fn rows<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

impl ModuleTensor {
    /// The path, joined by dots: `encoder.stem.norm.gamma`.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it takes a gradient. Frozen parameters and running statistics don't; on a device without autodiff nothing
    /// does.
    #[must_use]
    pub fn requires_grad(&self) -> bool {
        self.param.requires_grad()
    }

    /// The values, row by row, outside of any graph.
    ///
    /// # Shapes
    ///
    /// - output: `[count]`
    #[must_use]
    pub fn values(&self) -> Tensor<1> {
        self.param.values()
    }

    /// Its gradient, row by row; `None` if the loss doesn't depend on it.
    ///
    /// # Shapes
    ///
    /// - output: `[count]`
    #[must_use]
    pub fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>> {
        self.param.gradient(gradients)
    }
}

impl fmt::Debug for ModuleTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleTensor")
            .field("id", &self.id)
            .field("group_path", &self.group_path)
            .field("shape", &self.shape)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Lists every parameter and running statistic of a module, in the module's order.
///
/// No value is computed or copied until [`ModuleTensor::values`] asks for it.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_model::{ProjectionHeadConfig, TensorRole, module_tensors};
///
/// let head = ProjectionHeadConfig::default().init(8, 0, &Device::flex())?;
/// let tensors = module_tensors(&head);
/// let names: Vec<String> = tensors.iter().map(|tensor| tensor.name()).collect();
/// assert_eq!(names[0], "hidden.0.linear.weight");
/// assert_eq!(tensors[0].shape, [8, 8]);
/// assert_eq!(tensors[0].role, TensorRole::Matrix);
/// let statistics = tensors.iter().filter(|tensor| tensor.role == TensorRole::Statistic);
/// assert_eq!(statistics.count(), 2); // the running mean and variance of the hidden layer
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[must_use]
pub fn module_tensors(module: &impl Module) -> Vec<ModuleTensor> {
    #[derive(Default)]
    struct Visitor {
        walk: Walk,
        found: Vec<ModuleTensor>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.walk.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.walk.path();
            self.found.push(ModuleTensor {
                id: param.id,
                role: role(path.last().map_or("", String::as_str), D),
                path,
                group_path: self.walk.group_path(),
                shape: param.lazy_shape().to_vec(),
                param: Box::new(param.clone()),
            });
        }
    }
    let mut visitor = Visitor::default();
    module.visit(&mut visitor);
    visitor.found
}

fn role(name: &str, dimensions: usize) -> TensorRole {
    match dimensions {
        _ if name.starts_with("running_") => TensorRole::Statistic,
        0 | 1 => TensorRole::Vector,
        2 if name == "weight" => TensorRole::Matrix,
        _ => TensorRole::Weight,
    }
}

/// Replaces the values of the tensors that `values` names. Device, number format and gradient requirement stay.
///
/// # Panics
///
/// If there are more or fewer values than the tensor has.
pub(crate) fn with_values<M: Module>(module: M, values: HashMap<String, Vec<f32>>) -> M {
    struct Mapper {
        walk: Walk,
        values: HashMap<String, Vec<f32>>,
    }
    impl ModuleMapper for Mapper {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.walk.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.walk.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(values) = self.values.remove(&self.walk.path().join(".")) else {
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

/// The modules around the current tensor, and whether each is the variant of an enum.
#[derive(Default)]
struct Walk(Vec<(String, bool)>);

impl Walk {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.push((name.to_owned(), container.starts_with("Enum:")));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    /// The names without variants.
    fn path(&self) -> Vec<String> {
        let modules = self.0.iter().filter(|(_, is_variant)| !is_variant);
        modules.map(|(name, _)| name.clone()).collect()
    }

    fn group_path(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncoderConfig;
    use burn::tensor::Device;

    #[test]
    fn the_variant_of_an_enum_is_in_the_group_path_alone() {
        let config: EncoderConfig = "mlp_i2_3_4".parse().unwrap();
        let encoder = config.init(0, &Device::flex()).unwrap();
        let names: Vec<_> =
            module_tensors(&encoder).iter().map(|t| (t.name(), t.group_path.clone())).collect();
        let path = |name: &str| (name.to_owned(), format!("Mlp.{name}"));
        assert_eq!(
            names,
            [
                path("hidden.0.linear.weight"),
                path("hidden.0.norm.gamma"),
                path("hidden.0.norm.beta"),
                path("hidden.0.norm.running_mean"),
                path("hidden.0.norm.running_var"),
                path("output.weight"),
            ]
        );
    }

    #[test]
    fn roles_follow_dimensions_and_names() {
        // A vision transformer has four matrices and eight vectors in each of 12 blocks; its kernel, token and
        // positions are weights. A ResNet-18 has 20 kernels, each with a scale, a shift and two statistics.
        for (name, expected) in [
            ("vit_tiny_p16_i32", [12 * 4, 3, 12 * 8 + 1 + 2, 0]),
            ("resnet18x0.0625_cifar", [0, 20, 40, 40]),
        ] {
            let config: EncoderConfig = name.parse().unwrap();
            let tensors = module_tensors(&config.init(0, &Device::flex()).unwrap());
            let roles =
                [TensorRole::Matrix, TensorRole::Weight, TensorRole::Vector, TensorRole::Statistic];
            let found = roles.map(|role| tensors.iter().filter(|t| t.role == role).count());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn running_statistics_take_no_gradient_and_parameters_do() {
        let config: EncoderConfig = "resnet18x0.0625_cifar".parse().unwrap();
        let encoder = config.init(0, &Device::flex().autodiff()).unwrap();
        for tensor in module_tensors(&encoder) {
            assert_eq!(tensor.requires_grad(), tensor.role != TensorRole::Statistic, "{tensor:?}");
        }
        let plain = config.init(0, &Device::flex()).unwrap();
        assert!(module_tensors(&plain).iter().all(|tensor| !tensor.requires_grad()));
    }

    #[test]
    fn values_come_row_by_row() {
        let config: EncoderConfig = "mlp_i1_2_3".parse().unwrap();
        let encoder = config.init(0, &Device::flex().autodiff()).unwrap();
        let values: Vec<f32> = (0..6).map(|value| value as f32).collect();
        let named = HashMap::from([("output.weight".to_owned(), values.clone())]);
        let encoder = with_values(encoder, named);
        let tensors = module_tensors(&encoder);
        let output = tensors.iter().find(|tensor| tensor.name() == "output.weight").unwrap();
        assert_eq!((output.shape.as_slice(), output.count()), (&[2, 3][..], 6));
        let found: Vec<f32> = output.values().to_data_as::<f32>().iter::<f32>().collect();
        assert_eq!(found, values);
    }
}
