//! The parameters of a module, and their gradients, as vectors.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Shape, Tensor};

/// The order of a parameter's values in a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the shape says: the last axis moves first.
    RowByRow,
    /// The kernel of a convolution, `[out, in, height, width]`, as `[out, height, width, in]`; any other parameter row by
    /// row. CubeCL's convolutions read kernels and write their gradients so, and would copy them otherwise.
    ChannelsLast,
}

impl Order {
    /// The values of a tensor as a vector.
    pub(crate) fn flat<const D: usize>(self, tensor: Tensor<D>) -> Tensor<1> {
        let count = tensor.shape().num_elements();
        match (self, D) {
            (Self::ChannelsLast, 4) => {
                with_rank::<D, 4>(tensor).permute([0, 2, 3, 1]).reshape([count])
            }
            _ => tensor.reshape([count]),
        }
    }

    /// The tensor of this shape whose values are a vector.
    pub(crate) fn shaped<const D: usize>(self, values: Tensor<1>, shape: Shape) -> Tensor<D> {
        match (self, D) {
            (Self::ChannelsLast, 4) => {
                let [outputs, inputs, height, width] = shape.dims();
                let tensor = values.reshape([outputs, height, width, inputs]);
                with_rank::<4, D>(tensor.permute([0, 3, 1, 2]))
            }
            _ => values.reshape(shape),
        }
    }

    /// A vector in this order, from one row by row.
    pub(crate) fn of_rows(self, values: Tensor<1>, shape: &[usize]) -> Tensor<1> {
        match (self, <[usize; 4]>::try_from(shape)) {
            (Self::ChannelsLast, Ok(shape)) => self.flat(values.reshape(shape)),
            _ => values,
        }
    }

    /// A vector row by row, from one in this order.
    pub(crate) fn to_rows(self, values: Tensor<1>, shape: &[usize]) -> Tensor<1> {
        match (self, <[usize; 4]>::try_from(shape)) {
            (Self::ChannelsLast, Ok(shape)) => {
                Self::RowByRow.flat(self.shaped::<4>(values, Shape::new(shape)))
            }
            _ => values,
        }
    }
}

/// The tensor, whose rank `A` is `B`.
fn with_rank<const A: usize, const B: usize>(tensor: Tensor<A>) -> Tensor<B> {
    Tensor::from_dispatch(tensor.into_dispatch())
}

/// The gradient of each parameter that has one, in the module's order.
pub(crate) fn flat_gradients(
    module: &impl Module,
    gradients: GradientsParams,
    order: Order,
) -> Vec<(ParamId, Tensor<1>)> {
    struct Flat {
        order: Order,
        gradients: GradientsParams,
        found: Vec<(ParamId, Tensor<1>)>,
    }
    impl ModuleVisitor for Flat {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.found.push((param.id, self.order.flat(gradient)));
            }
        }
    }
    let mut flat = Flat { order, gradients, found: Vec::new() };
    module.visit(&mut flat);
    flat.found
}

/// The module with other values in those tensors for which `values` has some, in this order and outside of any graph.
///
/// Device, number format and gradient requirement stay. A running statistic changes in all clones of the module, which
/// share it; a parameter in the returned module alone.
pub(crate) fn with_flat_values<M: Module>(
    module: M,
    order: Order,
    values: impl FnMut(ParamId) -> Option<Tensor<1>>,
) -> M {
    struct Writing<F>(F, Order);
    impl<F: FnMut(ParamId) -> Option<Tensor<1>>> ModuleMapper for Writing<F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(new) = (self.0)(param.id) else { return param };
            param.map(|old| {
                let new = self.1.shaped::<D>(new, old.shape()).cast(old.dtype());
                let new = if old.is_autodiff() { Tensor::from_inner(new) } else { new };
                new.set_require_grad(old.is_require_grad())
            })
        }
    }
    module.map(&mut Writing(values, order))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn both_orders_lead_back_and_one_has_channels_last() {
        let device = Device::flex();
        let rows: Vec<f32> = (0..2 * 3 * 2 * 2).map(|value| value as f32).collect();
        let kernel = Tensor::<1>::from_floats(&rows[..], &device).reshape([2, 3, 2, 2]);
        let read = |values: Tensor<1>| values.into_data().iter::<f32>().collect::<Vec<_>>();
        for order in [Order::RowByRow, Order::ChannelsLast] {
            let flat = order.flat(kernel.clone());
            let back = order.shaped::<4>(flat.clone(), kernel.shape());
            assert_eq!(back.into_data(), kernel.to_data());
            let shape = [2, 3, 2, 2];
            assert_eq!(read(order.to_rows(flat.clone(), &shape)), rows);
            let again = order.of_rows(kernel.clone().reshape([24]), &shape);
            assert_eq!(read(again), read(flat));
        }
        let last = read(Order::ChannelsLast.flat(kernel));
        assert_eq!(last[..6], [0.0, 4.0, 8.0, 1.0, 5.0, 9.0]);
        let matrix = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
        assert_eq!(read(Order::ChannelsLast.flat(matrix)), [1.0, 2.0, 3.0, 4.0]);
    }
}
