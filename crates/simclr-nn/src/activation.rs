//! The functions that follow a layer.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, silu};

/// A function of every value by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// x
    Identity,
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
    /// x / (1 + e^-x)
    Silu,
}

impl Activation {
    /// The function of all values, by Burn's operations.
    pub(crate) fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => x,
            Self::Relu => relu(x),
            Self::Relu6 => relu(x).clamp_max(6.0),
            Self::Silu => silu(x),
        }
    }
}
