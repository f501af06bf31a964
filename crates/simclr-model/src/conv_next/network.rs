//! `ConvNeXts`: convolutional networks built like transformers.

use burn::module::Module;
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, LayerNorm, channels_last};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::stage::ConvNextStage;
use crate::encoder::Encoder;
use crate::layers::{ExampleKeys, convolution, layer_norm_to_onnx};

/// A `ConvNeXt` (Liu et al. 2022) up to and including the normalisation that follows global average pooling. Built by
/// [`ConvNextConfig::init`](crate::ConvNextConfig::init).
///
/// Images have at least 32 pixels a side: the last stage has a pixel for each 32.
#[derive(Module, Debug)]
pub struct ConvNext {
    /// Patches of 4 x 4 pixels.
    pub(super) stem: Conv2d,
    pub(super) stem_norm: LayerNorm,
    pub(super) stages: Vec<ConvNextStage>,
    pub(super) norm: LayerNorm,
}

impl ConvNext {
    /// The features at every place of the last map, `[n, h', w', feature_size]`: their mean over places is what
    /// [`encode`](Encoder::encode) gives.
    ///
    /// The normalisation after the mean divides all places of an image by one number, the standard deviation of their mean, so that it
    /// can be done before.
    #[must_use]
    pub fn feature_map(&self, images: Tensor<4>) -> Tensor<4> {
        let x = self.last_map(images);
        let mean = x.clone().mean_dims(&[1, 2]); // [n, 1, 1, features]
        let centred = mean.clone() - mean.mean_dim(3);
        let variance = centred.powi_scalar(2).mean_dim(3);
        let deviation = variance.add_scalar(self.norm.epsilon).sqrt();
        let normalised = (x.clone() - x.mean_dim(3)) / deviation;
        let scaled = normalised * self.norm.gamma.val().unsqueeze::<4>();
        match &self.norm.beta {
            Some(beta) => scaled + beta.val().unsqueeze::<4>(),
            None => scaled,
        }
    }

    /// What is averaged: `[n, h', w', features]`.
    fn last_map(&self, images: Tensor<4>) -> Tensor<4> {
        let keys = ExampleKeys::of_images(&images);
        let images = channels_last(images.cast(self.stem.weight.dtype()));
        // Layers that see each pixel by itself take its channels last.
        let x = self.stem.forward(images).permute([0, 2, 3, 1]); // [n, h', w', channels]
        let x = self.stem_norm.forward(x);
        self.stages.iter().fold(x, |x, stage| stage.forward(x, &keys))
    }
}

impl Encoder for ConvNext {
    /// Images `[n, 3, height, width]`, normalised.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.norm.forward(self.last_map(images).mean_dims(&[1, 2]).flatten(1, 3))
    }

    fn feature_size(&self) -> usize {
        self.norm.gamma.dims()[0]
    }
}

impl ToOnnx for ConvNext {
    fn to_onnx(&self, graph: &mut Graph, images: &Value) -> Value {
        let x = graph.convolution(images, "stem", &convolution(&self.stem));
        let x = graph.transpose(&x, &TO_LAST);
        let mut x = layer_norm_to_onnx(&self.stem_norm, graph, "stem_norm", &x);
        for (place, stage) in self.stages.iter().enumerate() {
            x = graph.within(&format!("stages.{place}"), |graph| stage.to_onnx(graph, &x));
        }
        let x = graph.transpose(&x, &TO_FIRST);
        let means = graph.global_average_pool(&x);
        let means = graph.flatten(&means);
        layer_norm_to_onnx(&self.norm, graph, "norm", &means)
    }
}

/// The order of axes that brings channels to the end, and back.
const TO_LAST: [i64; 4] = [0, 2, 3, 1];
const TO_FIRST: [i64; 4] = [0, 3, 1, 2];

/// A convolution of `[n, height, width, channels]`, which gives such images, too. Nothing is moved where convolutions
/// compute in this order.
pub(super) fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    conv.forward(x.permute([0, 3, 1, 2])).permute([0, 2, 3, 1])
}

pub(super) fn convolve_in_onnx(conv: &Conv2d, graph: &mut Graph, name: &str, x: &Value) -> Value {
    let x = graph.transpose(x, &TO_FIRST);
    let x = graph.convolution(&x, name, &convolution(conv));
    graph.transpose(&x, &TO_LAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConvNextConfig, ConvNextSize};
    use burn::module::Param;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn images_of_any_size_give_features_of_the_promised_size() {
        let device = Device::flex();
        let net = ConvNextConfig::new(ConvNextSize::Tiny).init(0, &device).unwrap();
        assert_eq!(net.feature_size(), 768);
        for [height, width] in [[32, 32], [70, 43]] {
            let images = Tensor::ones([2, 3, height, width], &device);
            assert_eq!(net.encode(images).dims(), [2, 768]);
        }
    }

    #[test]
    fn branches_are_dropped_in_training_alone() {
        let (still, trained) = (Device::flex(), Device::flex().autodiff());
        let encode = |stochastic_depth: f64, device: &Device| {
            let config = ConvNextConfig { size: ConvNextSize::Tiny, stochastic_depth };
            let mut net = config.init(1, device).unwrap();
            net = net.map(&mut LargeScales);
            device.seed(2);
            let images = Tensor::<2>::random([2, 3 * 32 * 32], Distribution::Default, &still);
            let images = Tensor::<2>::from_data(images.into_data(), device);
            let images = images.reshape([2, 3, 32, 32]);
            net.encode(images).into_data().try_to_vec::<f32>().unwrap()
        };
        let plain = encode(0.0, &still);
        let apart = |found: Vec<f32>| {
            found.iter().zip(&plain).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()))
        };
        assert!(apart(encode(0.5, &still)) == 0.0);
        assert!(apart(encode(0.0, &trained)) < 1e-4);
        assert!(apart(encode(0.5, &trained)) > 1e-2);
    }

    /// Makes layer scales, which begin near zero, count.
    struct LargeScales;

    impl burn::module::ModuleMapper for LargeScales {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if D > 1 { param } else { param.map(|values| values + 0.3) }
        }
    }
}
