//! A fully connected layer with the parameters of Burn's own.

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn;
use burn::tensor::{Tensor, assert_shape};

use crate::gelu::gelu;

/// A fully connected layer: [`burn::nn::Linear`], but faster on flex, and with the residual sum or GELU that follows it in
/// a transformer as one operation.
///
/// It has the same parameters under the same names, so that records and weight files of one fit the other. It is made
/// from Burn's own:
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::activation::gelu;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::Linear;
///
/// let device = Device::flex();
/// let burns = LinearConfig::new(20, 30).init(&device);
/// let ours = Linear::from(burns.clone());
/// let x = Tensor::<3>::random([2, 5, 20], Distribution::Default, &device);
/// let (found, expected) = (ours.forward_gelu(x.clone()), gelu(burns.forward(x)));
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Linear {
    /// `[inputs, outputs]`.
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl From<nn::Linear> for Linear {
    fn from(linear: nn::Linear) -> Self {
        let nn::Linear { weight, bias } = linear;
        Self { weight, bias }
    }
}

/// What follows the layer.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Then<const D: usize> {
    Nothing,
    Gelu,
    Add(Tensor<D>),
}

impl Linear {
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
        self.run(input, Then::Nothing)
    }

    /// `input` times the weight, plus `bias` in place of the layer's own.
    ///
    /// # Shapes
    ///
    /// - `input`: `[..., inputs]`
    /// - `bias`: `[outputs]`
    /// - output: `[..., outputs]`
    ///
    /// # Panics
    ///
    /// Like [`forward`](Self::forward), and if there isn't a bias for each output.
    #[must_use]
    pub fn forward_biased<const D: usize>(&self, input: Tensor<D>, bias: Tensor<1>) -> Tensor<D> {
        let [biases] = bias.dims();
        assert_eq!(biases, self.weight.dims()[1], "expected a bias for each output");
        run(input, self.weight.val(), Some(bias), Then::Nothing)
    }

    /// [`gelu`] of the output, with the shapes and panics of [`forward`](Self::forward).
    #[must_use]
    pub fn forward_gelu<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, Then::Gelu)
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
        self.check_residual(&input, &residual);
        self.run(input, Then::Add(residual))
    }

    /// `residual` plus `scale` times the output: a residual branch whose channels have a learnt factor each (Touvron et
    /// al. 2021, "Going deeper with Image Transformers", equation 3).
    ///
    /// # Shapes
    ///
    /// - `input`: `[..., inputs]`
    /// - `scale`: `[outputs]`
    /// - `residual` and output: `[..., outputs]`
    ///
    /// # Panics
    ///
    /// Like [`forward_add`](Self::forward_add), and if there isn't a factor for each output.
    ///
    /// ```
    /// use burn::nn::LinearConfig;
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use simclr_nn::Linear;
    ///
    /// let device = Device::flex();
    /// let linear = Linear::from(LinearConfig::new(20, 2).init(&device));
    /// let input = Tensor::<2>::random([3, 20], Distribution::Default, &device);
    /// let residual = Tensor::<2>::ones([3, 2], &device);
    /// let expected = linear.forward(input.clone()) * 0.5 + residual.clone();
    /// let scale = Tensor::from_floats([0.5, 0.5], &device);
    /// let found = linear.forward_scaled_add(input, scale, residual);
    /// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-6);
    /// ```
    #[must_use]
    pub fn forward_scaled_add<const D: usize>(
        &self,
        input: Tensor<D>,
        scale: Tensor<1>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        self.check_residual(&input, &residual);
        self.run_scaled(input, scale, Then::Add(residual))
    }

    /// `scale` times the output, with the shapes and panics of [`forward_scaled_add`](Self::forward_scaled_add).
    #[must_use]
    pub fn forward_scaled<const D: usize>(&self, input: Tensor<D>, scale: Tensor<1>) -> Tensor<D> {
        self.run_scaled(input, scale, Then::Nothing)
    }

    fn check_residual<const D: usize>(&self, input: &Tensor<D>, residual: &Tensor<D>) {
        let mut expected = input.dims();
        expected[D - 1] = self.weight.dims()[1];
        assert_eq!(residual.dims(), expected, "expected a residual of the output's shape");
    }

    /// The scale goes into the weight and the bias, which are smaller than the output. Not in 16 bits, in which the
    /// product of a weight and a small factor is no number.
    fn run_scaled<const D: usize>(
        &self,
        input: Tensor<D>,
        scale: Tensor<1>,
        then: Then<D>,
    ) -> Tensor<D> {
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        let [outputs] = scale.dims();
        assert_eq!(outputs, weight.dims()[1], "expected a factor for each output");
        if weight.dtype().size() >= 4 {
            let weight = weight * scale.clone().unsqueeze();
            return run(input, weight, bias.map(|bias| bias * scale), then);
        }
        let output = run(input, weight, bias, Then::Nothing) * scale.unsqueeze();
        match then {
            Then::Add(residual) => output + residual,
            Then::Nothing | Then::Gelu => output,
        }
    }

    fn run<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        run(input, self.weight.val(), self.bias.as_ref().map(Param::val), then)
    }
}

fn run<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    then: Then<D>,
) -> Tensor<D> {
    let [inputs, _] = weight.dims();
    assert_shape!(input, [.., inputs]);
    #[cfg(feature = "flex")]
    {
        let residual = if let Then::Add(residual) = &then { Some(residual) } else { None };
        if crate::flex::supports_linear(&input, &weight, bias.as_ref(), residual) {
            let gelu = matches!(then, Then::Gelu);
            return crate::flex::linear(input, weight, bias, residual.cloned(), gelu);
        }
    }
    let output = burn::tensor::module::linear(input, weight, bias);
    match then {
        Then::Nothing => output,
        Then::Gelu => gelu(output),
        Then::Add(residual) => output + residual,
    }
}

impl ModuleDisplay for Linear {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [inputs, outputs] = self.weight.dims();
        content
            .add("d_input", &inputs)
            .add("d_output", &outputs)
            .add("bias", &self.bias.is_some())
            .optional()
    }
}
