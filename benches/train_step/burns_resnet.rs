//! The same ResNet with Burn's own layers, which ours are compared with.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use simclr::model::{ResNetConfig, Stem};

#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let p = kernel / 2;
        let conv = Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
            .with_bias(false)
            .init(device);
        Self { conv, norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

#[derive(Module, Debug)]
struct Block {
    body: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(projection) => projection.forward(x.clone()),
            None => x.clone(),
        };
        let (last, inner) = self.body.split_last().expect("a block has layers");
        let body = inner.iter().fold(x, |x, layer| relu(layer.forward(x)));
        relu(last.forward(body) + shortcut)
    }
}

#[derive(Module, Debug)]
pub(crate) struct BurnsResNet {
    stem: ConvNorm,
    pool: Option<MaxPool2d>,
    blocks: Vec<Block>,
}

impl BurnsResNet {
    pub(crate) fn new(depth: &str, config: ResNetConfig, device: &Device) -> Self {
        let width = config.width;
        let (stem, pool) = if config.stem == Stem::Cifar {
            (ConvNorm::new([3, width], 3, 1, device), None)
        } else {
            let pool = MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
            (ConvNorm::new([3, width], 7, 2, device), Some(pool.init()))
        };
        let (stages, expansion) =
            if depth == "resnet18" { ([2, 2, 2, 2], 1) } else { ([3, 4, 6, 3], 4) };
        let mut blocks = Vec::new();
        let mut before = width;
        for (stage, count) in stages.into_iter().enumerate() {
            let (middle, after) = (width << stage, (width << stage) * expansion);
            for index in 0..count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let layer =
                    |channels, kernel, stride| ConvNorm::new(channels, kernel, stride, device);
                let body = if expansion == 1 {
                    vec![layer([before, after], 3, stride), layer([after, after], 3, 1)]
                } else {
                    vec![
                        layer([before, middle], 1, 1),
                        layer([middle, middle], 3, stride),
                        layer([middle, after], 1, 1),
                    ]
                };
                let changes = stride != 1 || before != after;
                let shortcut = changes.then(|| layer([before, after], 1, stride));
                blocks.push(Block { body, shortcut });
                before = after;
            }
        }
        Self { stem, pool, blocks }
    }

    pub(crate) fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.stem.forward(images));
        let x = match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        };
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        x.mean_dims(&[2, 3]).flatten(1, 3)
    }
}
