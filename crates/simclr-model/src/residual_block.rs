//! The building block of a ResNet.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::Tensor;
use simclr_cnn::{BatchNorm, Conv2d};

use crate::weight_init::WeightInit;

/// A convolution followed by batch normalisation (eps 1e-5, momentum 0.1).
#[derive(Module, Debug)]
pub struct ConvNorm {
    pub(crate) conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    pub(crate) fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let padding = kernel / 2;
        let config = Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding));
        let norm = BatchNormConfig::new(channels[1]).init(init.device());
        Self { conv: init.conv2d(&config).into(), norm: norm.into() }
    }

    /// Starts the layer at zero output, whatever comes in.
    fn with_zero_gamma(mut self) -> Self {
        let gamma = self.norm.gamma.val();
        self.norm.gamma = Param::from_tensor(gamma.zeros_like());
        self
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }

    pub(crate) fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward_relu(self.conv.forward(x))
    }

    fn forward_add_relu(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
        self.norm.forward_add_relu(self.conv.forward(x), shortcut)
    }
}

/// relu(body(x) + shortcut(x)): both kinds of residual block (He et al. 2015, figure 5).
///
/// The *basic* block's body is two 3x3 convolutions, the *bottleneck*'s 1x1, 3x3 and 1x1 with four
/// times the channels at the end. The stride sits on the 3x3 of a bottleneck (torchvision's
/// "v1.5"). The last gamma of the body starts at zero, so that a new block is the identity (Goyal et
/// al. 2017; google's SimCLR does the same).
#[derive(Module, Debug)]
pub struct ResidualBlock {
    body: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

/// How many times a bottleneck's output has the channels of its middle.
pub(crate) const BOTTLENECK_EXPANSION: usize = 4;

impl ResidualBlock {
    pub(crate) fn basic(
        channels_in: usize,
        channels: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let body = vec![
            ConvNorm::new([channels_in, channels], 3, stride, init),
            ConvNorm::new([channels, channels], 3, 1, init).with_zero_gamma(),
        ];
        Self { body, shortcut: shortcut([channels_in, channels], stride, init) }
    }

    pub(crate) fn bottleneck(
        channels_in: usize,
        channels: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let channels_out = channels * BOTTLENECK_EXPANSION;
        let body = vec![
            ConvNorm::new([channels_in, channels], 1, 1, init),
            ConvNorm::new([channels, channels], 3, stride, init),
            ConvNorm::new([channels, channels_out], 1, 1, init).with_zero_gamma(),
        ];
        Self { body, shortcut: shortcut([channels_in, channels_out], stride, init) }
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(projection) => projection.forward(x.clone()),
            None => x.clone(),
        };
        let (last, inner) = self.body.split_last().expect("a block has at least two layers");
        let body = inner.iter().fold(x, |x, layer| layer.forward_relu(x));
        last.forward_add_relu(body, shortcut)
    }
}

/// A 1x1 projection where the block changes the shape, nothing (the identity) where it doesn't.
fn shortcut(channels: [usize; 2], stride: usize, init: &mut WeightInit) -> Option<ConvNorm> {
    (stride != 1 || channels[0] != channels[1]).then(|| ConvNorm::new(channels, 1, stride, init))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn a_new_block_is_the_identity_on_what_is_positive() {
        let device = Device::flex();
        let x = Tensor::<4>::random([2, 4, 5, 5], Distribution::Uniform(0.0, 1.0), &device);
        let mut init = WeightInit::new(0, &device);
        for block in [
            ResidualBlock::basic(4, 4, 1, &mut init),
            ResidualBlock::bottleneck(4, 1, 1, &mut init),
        ] {
            block.forward(x.clone()).into_data().assert_eq(&x.to_data(), true);
        }
    }
}
