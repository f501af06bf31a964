//! The running statistics of a normalisation.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType};

/// How a batch enters the running statistics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Averaging {
    /// The weight of the batch, in 0..=1.
    pub(crate) momentum: f64,
    /// What makes the batch's variance unbiased: n / (n - 1).
    pub(crate) unbiasing: f64,
}

/// The running mean and variance, `[c]` each.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) struct Running<B: Backend> {
    pub(crate) mean: FloatTensor<B>,
    pub(crate) variance: FloatTensor<B>,
}
