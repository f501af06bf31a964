//! Tensors of a module as one flat tensor.

use std::collections::HashMap;
use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor};
use simclr_model::ModuleTensor;
use simclr_nn::{PACK_ALIGNMENT, pack};

use crate::optim::flat_parameters::{Order, flat_gradients, with_flat_values};

/// Parameters, running statistics or gradients of a module as one flat tensor in f32, outside of any graph: it goes from
/// one device to another in one transfer, where each tensor alone would be one.
#[derive(Clone)]
pub(crate) struct Packed {
    values: Tensor<1>,
    /// The place of each tensor among the values.
    places: HashMap<ParamId, Range<usize>>,
}

impl Packed {
    /// The values of these tensors; `None` if there are none.
    pub(crate) fn of(tensors: impl IntoIterator<Item = ModuleTensor>) -> Option<Self> {
        Self::new(tensors.into_iter().map(|tensor| (tensor.id, tensor.values())))
    }

    /// The gradients of the parameters of `module`; `None` if no parameter has one.
    pub(crate) fn of_gradients(module: &impl Module, gradients: GradientsParams) -> Option<Self> {
        Self::new(flat_gradients(module, gradients, Order::RowByRow))
    }

    fn new(tensors: impl IntoIterator<Item = (ParamId, Tensor<1>)>) -> Option<Self> {
        let (mut all, mut places, mut end) = (Vec::new(), HashMap::new(), 0);
        for (id, values) in tensors {
            let [count] = values.dims();
            places.insert(id, end..end + count);
            end += count.next_multiple_of(PACK_ALIGNMENT);
            all.push(values.without_autodiff().cast(FloatDType::F32));
        }
        (!all.is_empty()).then(|| Self { values: pack(all, PACK_ALIGNMENT), places })
    }

    pub(crate) fn to_device(&self, device: &Device) -> Self {
        self.with(|values| values.to_device(&device.clone().inner()))
    }

    /// The same tensors with other values, `[values]`.
    pub(crate) fn with(&self, change: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Self {
        Self { values: change(self.values.clone()), places: self.places.clone() }
    }

    /// The sum of two that pack the same tensors; one alone if the other isn't there.
    pub(crate) fn sum(before: Option<Self>, more: Option<Self>) -> Option<Self> {
        match (before, more) {
            (Some(before), Some(more)) => Some(before.with(|values| values + more.values())),
            (before, more) => before.or(more),
        }
    }

    /// All values, `[values]`.
    pub(crate) fn values(&self) -> Tensor<1> {
        self.values.clone()
    }

    /// Replaces the values of those tensors of `module` that are packed here, on the same device. A running statistic
    /// changes in all clones of the module, which share it; a parameter in the returned module alone.
    pub(crate) fn write_to<M: Module>(&self, module: M) -> M {
        with_flat_values(module, Order::RowByRow, |id| self.values_of(id))
    }

    /// The packed values as gradients of the parameters of `module`.
    pub(crate) fn into_gradients(self, module: &impl Module) -> GradientsParams {
        let mut unpacking = Unpacking { packed: &self, gradients: GradientsParams::new() };
        module.visit(&mut unpacking);
        unpacking.gradients
    }

    /// The values of the tensor `id`, `[values]`.
    fn values_of(&self, id: ParamId) -> Option<Tensor<1>> {
        let place = self.places.get(&id)?.clone();
        Some(self.values.clone().slice([place]))
    }
}

struct Unpacking<'a> {
    packed: &'a Packed,
    gradients: GradientsParams,
}

impl ModuleVisitor for Unpacking<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.packed.values_of(param.id) {
            let like = param.val();
            let gradient = gradient.reshape(like.shape()).cast(like.dtype());
            self.gradients.register::<D>(param.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::running_statistics::running_statistics;
    use simclr_model::{EncoderConfig, ImageEncoder, module_tensors};

    fn encoder(seed: u64) -> ImageEncoder {
        let config: EncoderConfig = "resnet18x0.03125_cifar".parse().unwrap();
        config.init(seed, &Device::flex().autodiff()).unwrap()
    }

    fn values(module: &impl Module) -> Vec<Vec<f32>> {
        let tensors = module_tensors(module).into_iter();
        tensors.map(|tensor| tensor.values().to_data_as::<f32>().iter().collect()).collect()
    }

    #[test]
    fn a_module_has_its_values_back_from_the_packed_ones_and_takes_gradients_as_before() {
        let module = encoder(1);
        let before = values(&module);
        let packed = Packed::of(module_tensors(&module)).unwrap();
        let lens = before.iter().map(|tensor| tensor.len().next_multiple_of(PACK_ALIGNMENT));
        assert_eq!(packed.values().dims()[0], lens.sum::<usize>());
        let doubled = packed.with(|values| values * 2.0).write_to(module.valid().train());
        let expected: Vec<Vec<f32>> =
            before.iter().map(|tensor| tensor.iter().map(|x| x * 2.0).collect()).collect();
        assert_eq!(values(&doubled), expected);
        assert_eq!(values(&module), before, "the original stays");
        let trained = |module: &ImageEncoder| {
            let tensors = module_tensors(module);
            tensors.iter().map(|tensor| (tensor.id, tensor.requires_grad())).collect::<Vec<_>>()
        };
        assert_eq!(trained(&doubled), trained(&module));
    }

    #[test]
    fn other_tensors_of_the_module_keep_their_values() {
        let module = encoder(1);
        let statistics = Packed::of(running_statistics(&module)).unwrap();
        let changed = statistics.with(|values| values + 1.0).write_to(module.valid().train());
        for (before, after) in module_tensors(&module).iter().zip(module_tensors(&changed)) {
            let apart = (after.values() - before.values()).sum().into_scalar::<f32>();
            let of_statistics = running_statistics(&module).any(|tensor| tensor.id == before.id);
            assert_eq!(apart.abs() > 0.5, of_statistics, "{before:?}");
        }
    }

    #[test]
    fn gradients_come_back_each_to_its_parameter_and_no_other_appears() {
        let module = encoder(1);
        let device = Device::flex().autodiff();
        // The gradient of a parameter's sum is ones; every second parameter gets one.
        let mut gradients = GradientsParams::new();
        let mut expected = Vec::new();
        for (number, tensor) in module_tensors(&module).into_iter().enumerate() {
            if tensor.shape.len() == 1 && number % 2 == 0 {
                let ones = Tensor::<1>::ones([tensor.count()], &device.clone().inner());
                gradients.register::<1>(tensor.id, ones * number as f64);
                expected.push((tensor.id, number as f32));
            }
        }
        let packed = Packed::of_gradients(&module, gradients).unwrap();
        let gradients = packed.into_gradients(&module);
        assert_eq!(gradients.len(), expected.len());
        for (id, number) in expected {
            let gradient = gradients.get::<1>(id).unwrap();
            assert!(gradient.to_data_as::<f32>().iter::<f32>().all(|x| (x - number).abs() < 1e-6));
        }
        assert!(Packed::of_gradients(&module, GradientsParams::new()).is_none());
    }
}
