//! A convolution's way to ONNX.

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use simclr_nn::Conv2d;
use simclr_onnx::{Convolution, Padding};

use crate::onnx::{vector, weights};

/// The convolution as ONNX has it.
pub(crate) fn convolution(conv: &Conv2d) -> Convolution {
    let padding = match conv.padding {
        PaddingConfig2d::Valid => Padding::Explicit([0; 4]),
        PaddingConfig2d::Same => Padding::Same,
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            Padding::Explicit([top, left, bottom, right])
        }
    };
    Convolution {
        weight: weights(&conv.weight),
        bias: conv.bias.as_ref().map(|bias: &Param<_>| vector(bias)),
        stride: conv.stride,
        padding,
        dilation: conv.dilation,
        groups: conv.groups,
    }
}
