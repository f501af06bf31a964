//! An encoder that has been made ready for inference.

use std::fmt;
use std::sync::Arc;

use burn::tensor::Tensor;

/// A network that only encodes: what [`Encoder::inference`](crate::Encoder::inference) makes of an encoder. Clones are
/// cheap and share the weights.
pub struct Inference<I>(Arc<dyn Fn(I) -> Tensor<2> + Send + Sync>);

impl<I> Inference<I> {
    /// From a function that gives the features, `[n, feature_size]`.
    pub fn new(encode: impl Fn(I) -> Tensor<2> + Send + Sync + 'static) -> Self {
        Self(Arc::new(encode))
    }

    /// The features h.
    ///
    /// # Shapes
    ///
    /// - output: `[n, feature_size]`
    #[must_use]
    pub fn encode(&self, input: I) -> Tensor<2> {
        (self.0)(input)
    }
}

impl<I> Clone for Inference<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I> fmt::Debug for Inference<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inference").finish_non_exhaustive()
    }
}
