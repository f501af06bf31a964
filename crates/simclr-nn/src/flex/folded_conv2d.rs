//! A convolution whose weights don't change.

use std::fmt;
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

use super::order::{channels_last_values, from_channels_last, is_readable, order, recycle, values};
use crate::activation::Activation;
use crate::kernels::{self, Finish, Geometry, OutputWeights};

/// Weights and bias, in the order in which the kernels read them.
#[derive(Clone)]
pub(crate) struct FoldedWeights(Arc<Kept>);

struct Kept {
    weights: OutputWeights,
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    shape: [usize; 4],
    groups: usize,
    bias: Vec<f32>,
}

impl fmt::Debug for FoldedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoldedWeights({:?})", self.0.shape)
    }
}

impl FoldedWeights {
    /// From weights `[channels_out, channels_in / groups, kernel_height, kernel_width]` and a bias that the kernels can read.
    /// There is one group, or one for each channel.
    pub(crate) fn new(weight: Tensor<4>, bias: Tensor<1>, groups: usize) -> Self {
        let shape = weight.dims();
        let weights = OutputWeights::new(&values(&primitive(weight)), shape, groups);
        let bias = values(&primitive(bias)).into_owned();
        Self(Arc::new(Kept { weights, shape, groups, bias }))
    }

    /// The convolution of `images`, plus the bias and `residual`, and then the activation.
    pub(crate) fn convolve(
        &self,
        images: Tensor<4>,
        residual: Option<Tensor<4>>,
        options: &ConvOptions<2>,
        activation: Activation,
    ) -> Tensor<4> {
        let Kept { weights, shape, groups, bias } = &*self.0;
        let channels = shape[1] * groups;
        assert_eq!(images.dims()[1], channels, "expected images of {channels} channels");
        assert!(is_readable(&images), "expected images of f32 on flex");
        let geometry = Geometry::new(images.dims(), *shape, options);
        assert!(geometry.is_proper(), "expected images that the kernel fits into");
        let [height, width] = geometry.output();
        let output = [geometry.images, geometry.channels_out, height, width];
        if let Some(residual) = &residual {
            assert_eq!(residual.dims(), output, "expected a residual of the output's shape");
        }
        let images = primitive(images);
        let residual = residual.map(primitive);
        let result = {
            let residual = residual.as_ref().map(channels_last_values);
            let finish = Finish { bias: Some(bias), residual: residual.as_deref(), activation };
            kernels::conv2d(&geometry, &channels_last_values(&images), weights, finish)
        };
        let result = from_channels_last(result, Shape::new(output), order(&images));
        recycle(images);
        if let Some(residual) = residual {
            recycle(residual);
        }
        Tensor::from_primitive::<Flex>(result)
    }
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    tensor.try_into_primitive::<Flex>().expect("the tensor is on flex")
}
