//! What every encoder is.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

/// A network f(x) that turns a batch of inputs into one feature vector h each.
///
/// After training the encoder is what is kept: h is the representation, the projection head is
/// thrown away (Chen et al. 2020, section 4.2). Nothing here assumes images: [`Input`](Self::Input)
/// is the encoder's own.
pub trait Encoder: Module + ModuleDisplay + 'static {
    /// A batch of inputs, for example `Tensor<4>` of `[n, channels, height, width]`.
    type Input: Clone + Send + 'static;

    /// The features h, computed in the number format of the weights, whatever the input's.
    ///
    /// # Shapes
    ///
    /// - output: `[n, feature_size]`
    fn encode(&self, input: Self::Input) -> Tensor<2>;

    /// The length of one feature vector.
    fn feature_size(&self) -> usize;
}
