//! The building block of a ResNet.

use burn::module::Module;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::Tensor;
use simclr_nn::channels_last;
use simclr_onnx::{Graph, ToOnnx, Value};

use crate::layers::{ConvLayer, ConvNorm, FoldedConvNorm};
use crate::weight_init::WeightInit;

/// relu(body(x) + shortcut(x)): both kinds of residual block (He et al. 2015, figure 5).
///
/// The body of a *basic* block is two 3x3 convolutions. The body of a *bottleneck* is a 1x1, a 3x3 and a 1x1
/// convolution, the last with four times the channels; its stride sits on the 3x3 (torchvision's "v1.5"). The last
/// gamma of the body may start at zero, so that a new block is the identity (Goyal et al. 2017; google's SimCLR does
/// the same).
#[derive(Module, Debug)]
pub struct ResidualBlock<C = ConvNorm> {
    body: Vec<C>,
    /// 2x2 average-pooling before the shortcut's projection, instead of its stride.
    pool: Option<AvgPool2d>,
    shortcut: Option<C>,
}

/// How many times as many channels a bottleneck gives as its middle has.
pub(super) const BOTTLENECK_EXPANSION: usize = 4;

impl ResidualBlock {
    pub(super) fn basic(
        channels_in: usize,
        channels: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let body = vec![
            ConvNorm::new([channels_in, channels], 3, stride, init),
            ConvNorm::new([channels, channels], 3, 1, init),
        ];
        Self { body, pool: None, shortcut: shortcut([channels_in, channels], stride, init) }
    }

    pub(super) fn bottleneck(
        channels_in: usize,
        channels: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let channels_out = channels * BOTTLENECK_EXPANSION;
        let body = vec![
            ConvNorm::new([channels_in, channels], 1, 1, init),
            ConvNorm::new([channels, channels], 3, stride, init),
            ConvNorm::new([channels, channels_out], 1, 1, init),
        ];
        Self { body, pool: None, shortcut: shortcut([channels_in, channels_out], stride, init) }
    }

    /// With average-pooling instead of a stride in the shortcut. At an odd side the last window is half as large.
    pub(super) fn with_pooling(mut self) -> Self {
        let pool = AvgPool2dConfig::new([2, 2])
            .with_strides([2, 2])
            .with_count_include_pad(false)
            .with_ceil_mode(true);
        let is_strided = self.shortcut.as_mut().is_some_and(ConvNorm::remove_stride);
        Self { pool: is_strided.then(|| pool.init()), ..self }
    }

    /// Sets the last gamma of the body to zero.
    pub(super) fn with_zero_last_gamma(mut self) -> Self {
        let last = self.body.pop().map(ConvNorm::with_zero_gamma);
        self.body.extend(last);
        self
    }

    /// The block for inference.
    pub(super) fn folded(&self) -> ResidualBlock<FoldedConvNorm> {
        ResidualBlock {
            body: self.body.iter().map(ConvNorm::folded).collect(),
            pool: self.pool.clone(),
            shortcut: self.shortcut.as_ref().map(ConvNorm::folded),
        }
    }
}

#[expect(private_bounds, reason = "so are its methods")]
impl<C: ConvLayer> ResidualBlock<C> {
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let pooled = match &self.pool {
            Some(pool) => channels_last(pool.forward(x.clone())),
            None => x.clone(),
        };
        let shortcut = match &self.shortcut {
            Some(projection) => projection.forward(pooled),
            None => pooled,
        };
        let (last, inner) = self.body.split_last().expect("a block has at least two layers");
        let body = inner.iter().fold(x, |x, layer| layer.forward_relu(x));
        last.forward_add_relu(body, shortcut)
    }
}

impl ToOnnx for ResidualBlock {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let pooled = match self.pool {
            Some(_) => graph.average_pool(input, [2, 2], [2, 2]),
            None => input.clone(),
        };
        let shortcut = match &self.shortcut {
            Some(projection) => {
                graph.within("shortcut", |graph| projection.to_onnx(graph, &pooled))
            }
            None => pooled,
        };
        let last = self.body.len() - 1;
        let body = self.body.iter().enumerate().fold(input.clone(), |x, (place, layer)| {
            let x = graph.within(&format!("body.{place}"), |graph| layer.to_onnx(graph, &x));
            if place < last { graph.relu(&x) } else { graph.sum(&x, &shortcut) }
        });
        graph.relu(&body)
    }
}

/// A 1x1 projection where the block changes the shape, `None` (the identity) where it doesn't.
fn shortcut(channels: [usize; 2], stride: usize, init: &mut WeightInit) -> Option<ConvNorm> {
    (stride != 1 || channels[0] != channels[1]).then(|| ConvNorm::new(channels, 1, stride, init))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn a_block_whose_last_gamma_is_zero_is_the_identity_for_positive_inputs() {
        let device = Device::flex();
        let x = Tensor::<4>::random([2, 32, 5, 5], Distribution::Uniform(0.0, 1.0), &device);
        let mut init = WeightInit::new(0, &device);
        for block in [
            ResidualBlock::basic(32, 32, 1, &mut init),
            ResidualBlock::bottleneck(32, 8, 1, &mut init),
        ] {
            assert_ne!(block.forward(x.clone()).into_data(), x.to_data());
            let identity = block.with_zero_last_gamma();
            identity.forward(x.clone()).into_data().assert_eq(&x.to_data(), true);
        }
    }
}
