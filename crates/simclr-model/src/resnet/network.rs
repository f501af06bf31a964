//! Residual networks for images.

use burn::module::Module;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;
use simclr_nn::{channels_last, max_pool2d};
use simclr_onnx::{Graph, Padding, ToOnnx, Value};

use super::depth::ResNetDepth;
use super::residual_block::ResidualBlock;
use crate::encoder::{Encoder, as_it_is};
use crate::inference::Inference;
use crate::layers::{ConvLayer, ConvNorm, FoldedConvNorm};

/// A residual network (He et al. 2015) up to and including global average pooling: images to features. Built by
/// [`ResNetConfig::init`](crate::ResNetConfig::init).
#[derive(Module, Debug)]
pub struct ResNet<C = ConvNorm> {
    /// Of a deep stem, the convolutions before the last.
    pub(super) before_stem: Vec<C>,
    pub(super) stem: C,
    /// `None` for the stem without pooling.
    pub(super) pool: Option<MaxPool2d>,
    pub(super) blocks: Vec<ResidualBlock<C>>,
    pub(super) feature_size: usize,
    #[module(skip)]
    pub(super) depth: ResNetDepth,
}

#[expect(private_bounds, reason = "so are its methods")]
impl<C: ConvLayer> ResNet<C> {
    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        self.last_map(images).mean_dims(&[2, 3]).flatten(1, 3)
    }

    /// What is averaged: `[n, features, h', w']`.
    fn last_map(&self, images: Tensor<4>) -> Tensor<4> {
        let images = images.cast(self.stem.dtype());
        let x = channels_last(images);
        let x = self.before_stem.iter().fold(x, |x, layer| layer.forward_relu(x));
        let x = self.stem.forward_relu(x);
        let x = match &self.pool {
            Some(pool) => max_pool2d(pool, x),
            None => x,
        };
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }
}

impl ResNet {
    /// The features at every place of the last map, `[n, h', w', feature_size]`: their mean over places is what
    /// [`encode`](Encoder::encode) gives.
    #[must_use]
    pub fn feature_map(&self, images: Tensor<4>) -> Tensor<4> {
        self.last_map(images).permute([0, 2, 3, 1])
    }

    /// The network for inference.
    fn folded(&self) -> ResNet<FoldedConvNorm> {
        ResNet {
            before_stem: self.before_stem.iter().map(ConvNorm::folded).collect(),
            stem: self.stem.folded(),
            pool: self.pool.clone(),
            blocks: self.blocks.iter().map(ResidualBlock::folded).collect(),
            feature_size: self.feature_size,
            depth: self.depth,
        }
    }
}

impl Encoder for ResNet {
    /// Images `[n, 3, height, width]`, normalised.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.features(images)
    }

    fn inference(&self) -> Inference<Tensor<4>> {
        if !self.stem.folds() {
            return as_it_is(self);
        }
        let folded = self.folded();
        Inference::new(move |images: Tensor<4>| folded.features(images.without_autodiff()))
    }

    fn feature_size(&self) -> usize {
        self.feature_size
    }
}

impl ToOnnx for ResNet {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let mut x = input.clone();
        for (place, layer) in self.before_stem.iter().enumerate() {
            x = graph.within(&format!("before_stem.{place}"), |graph| layer.to_onnx(graph, &x));
            x = graph.relu(&x);
        }
        x = graph.within("stem", |graph| self.stem.to_onnx(graph, &x));
        x = graph.relu(&x);
        if self.pool.is_some() {
            x = graph.max_pool(&x, [3, 3], [2, 2], Padding::Explicit([1; 4]));
        }
        for (place, block) in self.blocks.iter().enumerate() {
            x = graph.within(&format!("blocks.{place}"), |graph| block.to_onnx(graph, &x));
        }
        let means = graph.global_average_pool(&x);
        graph.flatten(&means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ResNetConfig, Stem};
    use burn::tensor::Device;

    fn config(depth: &str, width: usize, stem: Stem) -> ResNetConfig {
        ResNetConfig::new(depth.parse().unwrap(), width, stem)
    }

    #[test]
    fn every_depth_and_stem_gives_features_of_the_promised_size() {
        let device = Device::flex();
        for (name, features) in [
            ("resnet18", 32),
            ("resnet34", 32),
            ("resnet50", 128),
            ("resnet101", 128),
            ("resnet152", 128),
        ] {
            for stem in [Stem::Standard, Stem::Cifar, Stem::Deep] {
                let net = config(name, 4, stem).init(0, &device).unwrap();
                assert_eq!(net.feature_size(), features);
                assert_eq!(net.encode(Tensor::ones([2, 3, 33, 40], &device)).dims(), [2, features]);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_network_and_another_seed_another() {
        let device = Device::flex();
        let image = Tensor::<4>::ones([1, 3, 16, 16], &device);
        let h = |seed| {
            config("resnet18", 4, Stem::Cifar)
                .init(seed, &device)
                .unwrap()
                .encode(image.clone())
                .into_data()
        };
        h(1).assert_eq(&h(1), true);
        assert!(h(1) != h(2));
    }

    #[test]
    fn width_cannot_be_zero() {
        let error = config("resnet18", 0, Stem::Cifar).init(0, &Device::flex()).unwrap_err();
        assert_eq!(error.to_string(), "expected width to be at least 1, found 0");
    }
}
