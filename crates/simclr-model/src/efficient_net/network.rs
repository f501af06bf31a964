//! `EfficientNets`: small networks from depthwise convolutions.

use burn::module::Module;
use burn::tensor::Tensor;
use simclr_nn::channels_last;
use simclr_onnx::{Graph, ToOnnx, Value};

use super::inverted_residual::InvertedResidual;
use super::variant::EfficientNetVariant;
use crate::encoder::{Encoder, as_it_is};
use crate::inference::Inference;
use crate::layers::{ConvLayer, ConvNorm, ExampleKeys, FoldedConvNorm};

/// An `EfficientNet` (Tan and Le 2019) up to and including global average pooling. Built by
/// [`EfficientNetConfig::init`](crate::EfficientNetConfig::init).
///
/// Layers are padded alike on both sides, as in torchvision and timm, or as in TensorFlow's original:
/// [`EfficientNetConfig::tensorflow`](crate::EfficientNetConfig::tensorflow).
#[derive(Module, Debug)]
pub struct EfficientNet<C = ConvNorm> {
    pub(super) stem: C,
    pub(super) blocks: Vec<InvertedResidual<C>>,
    pub(super) head: C,
    pub(super) feature_size: usize,
    #[module(skip)]
    pub(super) variant: EfficientNetVariant,
    pub(super) tensorflow: bool,
}

impl EfficientNet {
    /// With the padding and the eps of TensorFlow's original.
    pub(super) fn like_tensorflow(self) -> Self {
        Self {
            stem: self.stem.like_tensorflow(),
            blocks: self.blocks.into_iter().map(InvertedResidual::like_tensorflow).collect(),
            head: self.head.like_tensorflow(),
            ..self
        }
    }
}

#[expect(private_bounds, reason = "so are its methods")]
impl<C: ConvLayer> EfficientNet<C> {
    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        self.last_map(images).mean_dims(&[2, 3]).flatten(1, 3)
    }

    /// What is averaged: `[n, features, h', w']`.
    fn last_map(&self, images: Tensor<4>) -> Tensor<4> {
        let keys = ExampleKeys::of_images(&images);
        let x = self.stem.forward_silu(channels_last(images.cast(self.stem.dtype())));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x, &keys));
        self.head.forward_silu(x)
    }
}

impl EfficientNet {
    /// The features at every place of the last map, `[n, h', w', feature_size]`: their mean over places is what
    /// [`encode`](Encoder::encode) gives.
    #[must_use]
    pub fn feature_map(&self, images: Tensor<4>) -> Tensor<4> {
        self.last_map(images).permute([0, 2, 3, 1])
    }

    /// The network for inference.
    fn folded(&self) -> EfficientNet<FoldedConvNorm> {
        EfficientNet {
            stem: self.stem.folded(),
            blocks: self.blocks.iter().map(InvertedResidual::folded).collect(),
            head: self.head.folded(),
            feature_size: self.feature_size,
            variant: self.variant,
            tensorflow: self.tensorflow,
        }
    }
}

impl Encoder for EfficientNet {
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

impl ToOnnx for EfficientNet {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let stem = graph.within("stem", |graph| self.stem.to_onnx(graph, input));
        let mut x = graph.silu(&stem);
        for (place, block) in self.blocks.iter().enumerate() {
            x = graph.within(&format!("blocks.{place}"), |graph| block.to_onnx(graph, &x));
        }
        let head = graph.within("head", |graph| self.head.to_onnx(graph, &x));
        let head = graph.silu(&head);
        let means = graph.global_average_pool(&head);
        graph.flatten(&means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EfficientNetConfig;
    use burn::tensor::Device;

    #[test]
    fn every_size_gives_features_of_the_promised_size() {
        let device = Device::flex();
        for ((name, variant), features) in
            EfficientNetVariant::ALL.iter().zip([1280, 1280, 1408, 1536])
        {
            let net = EfficientNetConfig::new(*variant).init(0, &device).unwrap();
            assert_eq!(net.feature_size(), features, "{name}");
            assert_eq!(net.encode(Tensor::ones([1, 3, 33, 40], &device)).dims(), [1, features]);
        }
    }
}
