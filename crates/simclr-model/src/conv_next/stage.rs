//! The blocks of one resolution.

use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, LayerNorm};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::block::ConvNextBlock;
use super::config::{WEIGHT_STD, layer_norm};
use super::network::{convolve, convolve_in_onnx};
use crate::layers::{ExampleKeys, layer_norm_to_onnx};
use crate::weight_init::WeightInit;

/// Blocks of one width. The first stage keeps the resolution of what comes in, the others halve it.
#[derive(Module, Debug)]
pub(super) struct ConvNextStage {
    downsampling: Option<Downsampling>,
    blocks: Vec<ConvNextBlock>,
}

impl ConvNextStage {
    /// A block for each probability of dropping its branch. The resolution is halved where the channels change.
    pub(super) fn new(
        channels: [usize; 2],
        drop_probabilities: &[f64],
        init: &mut WeightInit,
    ) -> Self {
        let downsampling = (channels[0] != channels[1]).then(|| Downsampling::new(channels, init));
        let blocks = drop_probabilities
            .iter()
            .map(|&probability| ConvNextBlock::new(channels[1], probability, init))
            .collect();
        Self { downsampling, blocks }
    }

    /// `x`: `[n, height, width, channels]`.
    pub(super) fn forward(&self, x: Tensor<4>, keys: &ExampleKeys) -> Tensor<4> {
        let x = match &self.downsampling {
            Some(downsampling) => convolve(&downsampling.conv, downsampling.norm.forward(x)),
            None => x,
        };
        self.blocks.iter().fold(x, |x, block| block.forward(x, keys))
    }
}

impl ToOnnx for ConvNextStage {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let mut x = input.clone();
        if let Some(Downsampling { norm, conv }) = &self.downsampling {
            x = graph.within("downsampling", |graph| {
                let normed = layer_norm_to_onnx(norm, graph, "norm", &x);
                convolve_in_onnx(conv, graph, "conv", &normed)
            });
        }
        for (place, block) in self.blocks.iter().enumerate() {
            x = graph.within(&format!("blocks.{place}"), |graph| block.to_onnx(graph, &x));
        }
        x
    }
}

/// A layer normalisation and a 2x2 convolution with stride 2.
#[derive(Module, Debug)]
struct Downsampling {
    norm: LayerNorm,
    conv: Conv2d,
}

impl Downsampling {
    fn new(channels: [usize; 2], init: &mut WeightInit) -> Self {
        let config = Conv2dConfig::new(channels, [2, 2]).with_stride([2, 2]);
        let conv = init.truncated_normal_conv2d(&config, WEIGHT_STD).into();
        Self { norm: layer_norm(channels[0], init.device()), conv }
    }
}
