//! A fully connected layer for inference.

use burn::tensor::{DType, Device, Tensor, assert_shape};

use crate::linear::Linear;

/// A [`Linear`] layer for inference: its weight stays in the order in which the kernels read it. [`Linear`] brings it into that order
/// each time, which for a few rows takes as long as to compute the output.
///
/// It is a value of its own, made from a layer that goes on as it was: it has no parameters, no file holds it, and no gradient
/// passes through it.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::{Linear, PackedLinear};
///
/// let device = Device::flex();
/// let linear = Linear::from(LinearConfig::new(20, 30).init(&device));
/// let packed = PackedLinear::new(&linear);
/// let x = Tensor::<3>::random([2, 5, 20], Distribution::Default, &device);
/// let apart = packed.forward_gelu(x.clone()) - linear.forward_gelu(x);
/// assert!(apart.abs().max().into_scalar::<f32>() < 1e-6);
/// ```
#[derive(Debug, Clone)]
pub struct PackedLinear {
    inputs: usize,
    outputs: usize,
    layer: Layer,
}

#[derive(Debug, Clone)]
enum Layer {
    /// What the kernels read.
    #[cfg(feature = "flex")]
    Kept(crate::flex::KeptLayer),
    /// The layer as it is.
    Plain(Box<Linear>),
}

impl PackedLinear {
    /// From a layer.
    #[must_use]
    pub fn new(linear: &Linear) -> Self {
        let [inputs, outputs] = linear.weight.dims();
        Self { inputs, outputs, layer: Layer::new(linear) }
    }

    /// Whether it pays to make such layers of this type on this device: f32 on flex.
    #[must_use]
    pub fn pays(dtype: DType, device: &Device) -> bool {
        #[cfg(feature = "flex")]
        return dtype == DType::F32 && *device == Device::flex();
        #[cfg(not(feature = "flex"))]
        {
            let _ = (dtype, device);
            false
        }
    }

    /// `input` times the weight, plus the bias.
    ///
    /// # Shapes
    ///
    /// - `input`: `[..., inputs]`
    /// - output: `[..., outputs]`
    ///
    /// # Panics
    ///
    /// If the last axis of `input` has another length than the weight's first.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, None, false)
    }

    /// [`gelu`](crate::gelu) of the output, with the shapes and panics of [`forward`](Self::forward).
    #[must_use]
    pub fn forward_gelu<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, None, true)
    }

    /// The output plus `residual`.
    ///
    /// # Shapes
    ///
    /// - `input`: `[..., inputs]`
    /// - `residual` and output: `[..., outputs]`
    ///
    /// # Panics
    ///
    /// Like [`forward`](Self::forward), and if `residual` has another shape than the output.
    #[must_use]
    pub fn forward_add<const D: usize>(&self, input: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
        let mut expected = input.dims();
        expected[D - 1] = self.outputs;
        assert_eq!(residual.dims(), expected, "expected a residual of the output's shape");
        self.run(input, Some(residual), false)
    }

    fn run<const D: usize>(
        &self,
        input: Tensor<D>,
        residual: Option<Tensor<D>>,
        gelu: bool,
    ) -> Tensor<D> {
        let inputs = self.inputs;
        assert_shape!(input, [.., inputs]);
        let input = input.without_autodiff();
        let residual = residual.map(Tensor::without_autodiff);
        match &self.layer {
            #[cfg(feature = "flex")]
            Layer::Kept(layer) => layer.run(input, residual, gelu),
            Layer::Plain(linear) => match residual {
                Some(residual) => linear.forward_add(input, residual),
                None if gelu => linear.forward_gelu(input),
                None => linear.forward(input),
            },
        }
    }
}

impl Layer {
    fn new(linear: &Linear) -> Self {
        #[cfg(feature = "flex")]
        {
            let weight = linear.weight.val().without_autodiff();
            if PackedLinear::pays(weight.dtype(), &weight.device()) {
                let bias = linear.bias.as_ref().map(|bias| bias.val().without_autodiff());
                return Self::Kept(crate::flex::KeptLayer::new(weight, bias));
            }
        }
        Self::Plain(Box::new(linear.clone()))
    }
}
