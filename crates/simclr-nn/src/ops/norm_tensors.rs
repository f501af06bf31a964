//! What a normalisation is given besides its input.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType};

use crate::activation::Activation;

/// What differs between normalisations, besides their tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormOptions {
    /// Added to the variance.
    pub(crate) epsilon: f64,
    /// What follows the normalisation and the residual sum. After a residual sum it is ReLU or nothing.
    pub(crate) activation: Activation,
}

/// The parameters and statistics of a normalisation, `[c]` each.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) struct NormTensors<B: Backend> {
    pub(crate) gamma: FloatTensor<B>,
    pub(crate) beta: FloatTensor<B>,
    pub(crate) mean: FloatTensor<B>,
    pub(crate) variance: FloatTensor<B>,
}
