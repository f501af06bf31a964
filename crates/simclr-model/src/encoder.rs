//! The interface of every encoder.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

/// A network f(x) that turns each input of a batch into one feature vector h.
///
/// After training the encoder is kept and its features are used; the projection head is thrown away (Chen et al.
/// 2020, section 4.2). Nothing here assumes images: each encoder has an [`Input`](Self::Input) type of its own.
pub trait Encoder: Module + ModuleDisplay + 'static {
    /// A batch of inputs, for example `Tensor<4>` with shape `[n, channels, height, width]`.
    type Input: Clone + Send + 'static;

    /// The features h, computed in the number format of the weights, whatever the input's format.
    ///
    /// # Shapes
    ///
    /// - output: `[n, feature_size]`
    fn encode(&self, input: Self::Input) -> Tensor<2>;

    /// The length of one feature vector.
    fn feature_size(&self) -> usize;
}
