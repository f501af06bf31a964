//! Layer normalisation with the parameters of Burn's own.

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::{self, LayerNormConfig};
use burn::tensor::{Device, FloatDType, Tensor, assert_shape};

/// Layer normalisation (Ba et al. 2016): [`burn::nn::LayerNorm`], but faster on flex.
///
/// It has the same parameters under the same names, so that records and weight files of one fit the other.
///
/// An input of 16 bits is normalised in f32, as in PyTorch's autocast, and the output has the input's type.
///
/// ```
/// use burn::nn::LayerNormConfig;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::LayerNorm;
///
/// let config = LayerNormConfig::new(192).with_epsilon(1e-6);
/// let device = Device::flex();
/// let x = Tensor::<3>::random([2, 5, 192], Distribution::Default, &device);
/// let found = LayerNorm::new(&config, &device).forward(x.clone());
/// let expected = config.init(&device).forward(x);
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct LayerNorm {
    /// The learnt scale, `[channels]`.
    pub gamma: Param<Tensor<1>>,
    /// The learnt shift, `[channels]`.
    pub beta: Option<Param<Tensor<1>>>,
    /// Added to the variance.
    pub epsilon: f64,
}

impl LayerNorm {
    /// A layer with a scale of ones and a shift of zeros.
    #[must_use]
    pub fn new(config: &LayerNormConfig, device: &Device) -> Self {
        let nn::LayerNorm { gamma, beta, .. } = config.init(device);
        Self { gamma, beta, epsilon: config.epsilon }
    }

    /// The vectors along the last axis of `input`, each normalised by its own mean and variance.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[..., channels]`
    ///
    /// # Panics
    ///
    /// If `input` has another number of channels.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let (gamma, beta) = (self.gamma.val(), self.beta.as_ref().map(Param::val));
        let [channels] = gamma.dims();
        assert_shape!(input, [.., channels]);
        let dtype = input.dtype();
        if dtype.size() >= 4 {
            return normalised(input, gamma, beta, self.epsilon);
        }
        let wide = FloatDType::F32;
        let beta = beta.map(|beta| beta.cast(wide));
        normalised(input.cast(wide), gamma.cast(wide), beta, self.epsilon).cast(dtype)
    }
}

fn normalised<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::flex::supports_layer_norm(&input, &gamma, beta.as_ref()) {
        return crate::flex::layer_norm(input, gamma, beta, epsilon);
    }
    burn::tensor::module::layer_norm(input, gamma, beta, epsilon)
}

impl ModuleDisplay for LayerNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [channels] = self.gamma.shape().dims();
        content
            .add("d_model", &channels)
            .add("epsilon", &self.epsilon)
            .add("bias", &self.beta.is_some())
            .optional()
    }
}
