//! Batch normalisation with the parameters of Burn's own.

use burn::module::{Content, DisplaySettings, Flag, Module, ModuleDisplay, Param, RunningState};
use burn::nn;
use burn::tensor::{Device, Tensor, assert_shape};

use crate::activation::Activation;

/// Batch normalisation: [`burn::nn::BatchNorm`], but faster on flex and on CubeCL backends, and with the residual sum and
/// the activation that follow it in a network as one operation.
///
/// It has the same parameters and running statistics under the same names, so that records and weight files of one fit
/// the other. It is made from Burn's own.
///
/// - **Residual sum and activation**: [`forward_relu`](Self::forward_relu), [`forward_relu6`](Self::forward_relu6),
///   [`forward_silu`](Self::forward_silu) and [`forward_add_relu`](Self::forward_add_relu) sweep over the values once
///   forwards and twice backwards, and keep nothing in between for the backward pass; on CubeCL backends, with a residual,
///   a bit for each value, which says what ReLU let pass. There, `ReLU6` and `SiLU` are operations of Burn's own.
/// - **Running variance**: it averages the unbiased variances of the batches, as PyTorch and TensorFlow's fused kernel
///   do. Burn's own averages the biased ones, which are smaller by a factor of 1 - 1/n for n values.
/// - **Mixed precision**: an input of another type than the parameters' is normalised in the parameters' type, and the
///   output has the input's. On CubeCL backends the kernels read and write 16 bits and compute in 32; elsewhere the input
///   is cast. [`batch_norms`](crate::batch_norms) finds the parameters that stay in f32.
///
/// ```
/// use burn::nn::BatchNormConfig;
/// use burn::tensor::activation::relu;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::BatchNorm;
///
/// let device = Device::flex().autodiff();
/// let burns = BatchNormConfig::new(4).init(&device);
/// let ours = BatchNorm::from(burns.clone());
/// let x = Tensor::<4>::random([2, 4, 5, 5], Distribution::Default, &device);
/// let r = Tensor::<4>::random([2, 4, 5, 5], Distribution::Default, &device);
/// let expected = relu(burns.forward(x.clone()) + r.clone());
/// let found = ours.forward_add_relu(x, r);
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct BatchNorm {
    /// The learnt scale, `[channels]`.
    pub gamma: Param<Tensor<1>>,
    /// The learnt shift, `[channels]`.
    pub beta: Param<Tensor<1>>,
    /// Whether a device with autodiff normalises with the statistics of the batch, and updates the running ones.
    pub training: Param<Flag>,
    /// The running mean, `[channels]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance, `[channels]`.
    pub running_var: RunningState<Tensor<1>>,
    /// The weight of a batch in the running statistics, in 0..=1.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

impl From<nn::BatchNorm> for BatchNorm {
    fn from(norm: nn::BatchNorm) -> Self {
        let nn::BatchNorm { gamma, beta, training, running_mean, running_var, momentum, epsilon } =
            norm;
        Self { gamma, beta, training, running_mean, running_var, momentum, epsilon }
    }
}

/// What follows the normalisation.
struct Then<const D: usize> {
    residual: Option<Tensor<D>>,
    activation: Activation,
}

impl BatchNorm {
    /// The normalised `input`.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[n, channels, ...]`
    ///
    /// # Panics
    ///
    /// If `input` has another number of channels, or no axis for them.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, Then { residual: None, activation: Activation::Identity })
    }

    /// ReLU of the normalised `input`, with the shapes and panics of [`forward`](Self::forward).
    #[must_use]
    pub fn forward_relu<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, Then { residual: None, activation: Activation::Relu })
    }

    /// `ReLU6`, min(max(x, 0), 6), of the normalised `input`, with the shapes and panics of [`forward`](Self::forward).
    #[must_use]
    pub fn forward_relu6<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, Then { residual: None, activation: Activation::Relu6 })
    }

    /// `SiLU`, x / (1 + e^-x), of the normalised `input`, with the shapes and panics of [`forward`](Self::forward).
    #[must_use]
    pub fn forward_silu<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.run(input, Then { residual: None, activation: Activation::Silu })
    }

    /// The normalised `input` plus `residual`.
    ///
    /// # Shapes
    ///
    /// - `input`, `residual` and output: `[n, channels, ...]`
    ///
    /// # Panics
    ///
    /// Like [`forward`](Self::forward), and if `residual` has another shape than `input`.
    #[must_use]
    pub fn forward_add<const D: usize>(&self, input: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
        self.run_add(input, residual, Activation::Identity)
    }

    /// ReLU of the normalised `input` plus `residual`.
    ///
    /// # Shapes
    ///
    /// - `input`, `residual` and output: `[n, channels, ...]`
    ///
    /// # Panics
    ///
    /// Like [`forward`](Self::forward), and if `residual` has another shape than `input`.
    #[must_use]
    pub fn forward_add_relu<const D: usize>(
        &self,
        input: Tensor<D>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        self.run_add(input, residual, Activation::Relu)
    }

    fn run_add<const D: usize>(
        &self,
        input: Tensor<D>,
        residual: Tensor<D>,
        activation: Activation,
    ) -> Tensor<D> {
        assert_eq!(residual.dims(), input.dims(), "expected a residual of the input's shape");
        self.run(input, Then { residual: Some(residual), activation })
    }

    fn run<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        let [channels] = self.gamma.shape().dims();
        assert_shape!(input, [_, channels, ..]);
        // Like Burn's: a frozen layer keeps its statistics, also on a device with autodiff.
        let of_batch = input.device().is_autodiff() && self.training.is_enabled();
        #[cfg(any(feature = "flex", feature = "cube"))]
        if of_batch && has_kernels(&input, &self.gamma.val(), then.residual.as_ref()) {
            let within = if has_activation(&input, then.activation) {
                then.activation
            } else {
                Activation::Identity
            };
            let output = self.by_kernels(input, Then { activation: within, ..then });
            return if within == then.activation { output } else { then.activation.apply(output) };
        }
        let dtype = input.dtype();
        if dtype != self.gamma.dtype() {
            // Sums over a batch lose too much in 16 bits.
            let input = input.cast(self.gamma.dtype());
            let residual = then.residual.map(|residual| residual.cast(self.gamma.dtype()));
            return self.run(input, Then { residual, ..then }).cast(dtype);
        }
        if of_batch {
            self.with_statistics_of_batch(input, then)
        } else {
            self.with_running_statistics(input, then)
        }
    }

    fn with_statistics_of_batch<const D: usize>(
        &self,
        input: Tensor<D>,
        then: Then<D>,
    ) -> Tensor<D> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        let count = values_per_channel(&input);
        let result = burn::tensor::module::batch_norm_train(input, gamma, beta, self.epsilon);
        self.update_running_statistics(result.mean, result.variance, count);
        then.apply(result.output)
    }

    /// The same by this crate's kernels, with what follows in the same sweep.
    #[cfg(any(feature = "flex", feature = "cube"))]
    fn by_kernels<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        let parameters = [self.gamma.val(), self.beta.val()];
        let options = self.options(&then);
        let running = self.running_statistics(&input.device());
        let unbiasing = unbiasing(values_per_channel(&input));
        let averaging = crate::ops::Averaging { momentum: self.momentum, unbiasing };
        let (output, averaged) =
            crate::ops::batch_norm(input, parameters, then.residual, running, options, averaging);
        self.set_running_statistics(averaged);
        output
    }

    /// The running mean and variance, outside of any graph.
    fn running_statistics(&self, device: &Device) -> [Tensor<1>; 2] {
        let states = [&self.running_mean, &self.running_var];
        states.map(|state| state.value_sync().to_device(device).detach())
    }

    fn set_running_statistics(&self, [mean, variance]: [Tensor<1>; 2]) {
        self.running_mean.update(mean.detach());
        self.running_var.update(variance.detach());
    }

    /// Adds the mean and the biased variance of a batch with `count` values for each channel.
    fn update_running_statistics(&self, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
        let (mean, variance) = (mean.detach(), variance.detach().mul_scalar(unbiasing(count)));
        let [of_mean, of_variance] = self.running_statistics(&mean.device());
        let averaged = [(of_mean, mean), (of_variance, variance)]
            .map(|(old, new)| old.mul_scalar(1.0 - self.momentum) + new.mul_scalar(self.momentum));
        self.set_running_statistics(averaged);
    }

    /// What the layer does to each channel with its running statistics, outside of any graph: the factor, and then the number
    /// that is added. A layer before it can do both ([`FoldedConv2d`](crate::FoldedConv2d)).
    ///
    /// # Shapes
    ///
    /// - both: `[channels]`
    ///
    /// ```
    /// use burn::nn::BatchNormConfig;
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use simclr_nn::BatchNorm;
    ///
    /// let device = Device::flex();
    /// let norm = BatchNorm::from(BatchNormConfig::new(3).init(&device));
    /// let x = Tensor::<2>::random([4, 3], Distribution::Default, &device);
    /// let [scale, shift] = norm.scale_and_shift();
    /// let found = x.clone() * scale.unsqueeze() + shift.unsqueeze();
    /// assert!((found - norm.forward(x)).abs().max().into_scalar::<f32>() < 1e-6);
    /// ```
    #[must_use]
    pub fn scale_and_shift(&self) -> [Tensor<1>; 2] {
        let [gamma, beta] = [&self.gamma, &self.beta].map(|param| param.val().without_autodiff());
        let device = gamma.device();
        let [mean, variance] = [&self.running_mean, &self.running_var]
            .map(|state| state.value().without_autodiff().to_device(&device));
        let scale = gamma / (variance + self.epsilon).sqrt();
        let shift = beta - mean * scale.clone();
        [scale, shift]
    }

    fn with_running_statistics<const D: usize>(
        &self,
        input: Tensor<D>,
        then: Then<D>,
    ) -> Tensor<D> {
        let device = input.device();
        let [mean, variance] =
            [&self.running_mean, &self.running_var].map(|r| r.value().to_device(&device));
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        #[cfg(feature = "flex")]
        if !device.is_autodiff() && crate::flex::supports_norm(&input, then.residual.as_ref()) {
            let options = self.options(&then);
            let of_channels = [gamma, beta, mean, variance];
            return crate::flex::normalise(input, of_channels, then.residual, options);
        }
        let normalised =
            burn::tensor::module::batch_norm(input, gamma, beta, mean, variance, self.epsilon);
        then.apply(normalised)
    }

    #[cfg(any(feature = "flex", feature = "cube"))]
    fn options<const D: usize>(&self, then: &Then<D>) -> crate::ops::NormOptions {
        crate::ops::NormOptions { epsilon: self.epsilon, activation: then.activation }
    }
}

/// Bessel's correction of the variance of so many values. A single value has no variance to correct.
fn unbiasing(count: usize) -> f64 {
    count as f64 / count.saturating_sub(1).max(1) as f64
}

/// The values of a channel in `[n, channels, ...]`.
fn values_per_channel<const D: usize>(input: &Tensor<D>) -> usize {
    input.shape().num_elements() / input.dims()[1].max(1)
}

/// Whether this crate has kernels for a normalisation with the statistics of the batch.
#[cfg(any(feature = "flex", feature = "cube"))]
fn has_kernels<const D: usize>(
    input: &Tensor<D>,
    gamma: &Tensor<1>,
    residual: Option<&Tensor<D>>,
) -> bool {
    #[cfg(feature = "flex")]
    if gamma.dtype() == input.dtype() && crate::flex::supports_norm(input, residual) {
        return true;
    }
    #[cfg(feature = "cube")]
    if crate::cube::supports_batch_norm(input, gamma, residual) {
        return true;
    }
    false
}

/// Whether the kernels for `input` apply this activation in the same sweep. Those of CubeCL have ReLU alone.
#[cfg(any(feature = "flex", feature = "cube"))]
fn has_activation<const D: usize>(input: &Tensor<D>, activation: Activation) -> bool {
    #[cfg(feature = "flex")]
    if crate::flex::supports_norm(input, None) {
        return true;
    }
    matches!(activation, Activation::Identity | Activation::Relu)
}

impl<const D: usize> Then<D> {
    fn apply(self, normalised: Tensor<D>) -> Tensor<D> {
        let sum = match self.residual {
            Some(residual) => normalised + residual,
            None => normalised,
        };
        self.activation.apply(sum)
    }
}

impl ModuleDisplay for BatchNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [channels] = self.beta.shape().dims();
        content
            .add("num_features", &channels)
            .add("momentum", &self.momentum)
            .add("epsilon", &self.epsilon)
            .optional()
    }
}
