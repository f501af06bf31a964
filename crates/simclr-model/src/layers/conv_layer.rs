//! What a network asks of a normalised convolution, whether it trains or is for inference alone.

use burn::tensor::{DType, Tensor};

/// A convolution, the normalisation that follows it, and what follows both.
pub(crate) trait ConvLayer {
    /// The number format of the input.
    fn dtype(&self) -> DType;

    /// The normalised convolution.
    fn forward(&self, x: Tensor<4>) -> Tensor<4>;

    /// ReLU of [`forward`](Self::forward).
    fn forward_relu(&self, x: Tensor<4>) -> Tensor<4>;

    /// `SiLU` of [`forward`](Self::forward).
    fn forward_silu(&self, x: Tensor<4>) -> Tensor<4>;

    /// [`forward`](Self::forward) plus `shortcut`.
    fn forward_add(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4>;

    /// ReLU of [`forward`](Self::forward) plus `shortcut`.
    fn forward_add_relu(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4>;
}
