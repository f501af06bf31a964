//! A fully connected layer whose weight doesn't change.

use std::fmt;
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::linear::run;
use super::order::{is_readable, values};
use crate::kernels::{LinearLayer, PackedWeight};

/// The weight in the order in which the kernels read it, and the bias.
#[derive(Clone)]
pub(crate) struct KeptLayer(Arc<(PackedWeight, Option<Vec<f32>>)>);

impl fmt::Debug for KeptLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (PackedWeight { inputs, outputs, .. }, _) = &*self.0;
        write!(f, "KeptLayer({inputs}, {outputs})")
    }
}

impl KeptLayer {
    /// From a weight, `[inputs, outputs]`, and a bias that the kernels can read.
    pub(crate) fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let [inputs, outputs] = weight.dims();
        let weight = PackedWeight::new(&values(&primitive(weight)), inputs, outputs);
        let bias = bias.map(|bias| values(&primitive(bias)).into_owned());
        Self(Arc::new((weight, bias)))
    }

    /// The output plus `residual`; or GELU of it.
    pub(crate) fn run<const D: usize>(
        &self,
        x: Tensor<D>,
        residual: Option<Tensor<D>>,
        gelu: bool,
    ) -> Tensor<D> {
        let (weight, bias) = &*self.0;
        assert!(is_readable(&x), "expected an input of f32 on flex");
        let layer = LinearLayer { weight, bias: bias.as_deref() };
        let output = run(&layer, primitive(x), residual.map(primitive), gelu);
        Tensor::from_primitive::<Flex>(output)
    }
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    tensor.try_into_primitive::<Flex>().expect("the tensor is on flex")
}
