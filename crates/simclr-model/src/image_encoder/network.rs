//! An image encoder whose architecture is chosen at run time.

use burn::module::Module;
use burn::tensor::Tensor;
use simclr_onnx::{Graph, ToOnnx, Value};

use crate::conv_next::ConvNext;
use crate::efficient_net::EfficientNet;
use crate::encoder::Encoder;
use crate::inference::Inference;
use crate::mlp::Mlp;
use crate::resnet::ResNet;
use crate::vision_transformer::VisionTransformer;

/// An image encoder of any architecture. Built by [`EncoderConfig::init`](crate::EncoderConfig::init).
///
/// Weight files don't show this wrapper: [`save_weights`](crate::save_weights) and
/// [`WeightFile::load`](crate::WeightFile::load) use the names of the network inside.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{Encoder, EncoderConfig};
///
/// for name in ["resnet18x0.25_cifar", "vit_tiny_p8_i32", "mlp_i32_64_16"] {
///     let encoder = name.parse::<EncoderConfig>()?.init(0, &Device::flex())?;
///     let h = encoder.encode(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
///     assert_eq!(h.dims(), [2, encoder.feature_size()]);
/// }
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Module, Debug)]
pub enum ImageEncoder {
    /// A residual network.
    ResNet(ResNet),
    /// A small network from depthwise convolutions.
    EfficientNet(EfficientNet),
    /// A convolutional network built like a transformer.
    ConvNext(ConvNext),
    /// A transformer on patches.
    VisionTransformer(VisionTransformer),
    /// Fully connected layers on all pixels.
    Mlp(Mlp),
}

impl ImageEncoder {
    /// The features at every place of the images, `[n, h', w', feature_size]`, whose mean over places is what
    /// [`encode`](Encoder::encode) gives. They say how much each place has to do with the features.
    ///
    /// `None` for networks whose features are no such mean: an MLP, and vision transformers that read a class token.
    ///
    /// # Panics
    ///
    /// If the images are not of the encoder's size.
    ///
    /// ```
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use simclr_model::{Encoder, EncoderConfig};
    ///
    /// let device = Device::flex();
    /// let encoder = "resnet18x0.25_cifar".parse::<EncoderConfig>()?.init(0, &device)?;
    /// let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
    /// let map = encoder.feature_map(images.clone()).expect("a ResNet averages over places");
    /// assert_eq!(map.dims(), [2, 4, 4, 128]);
    /// # Ok::<(), simclr_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn feature_map(&self, images: Tensor<4>) -> Option<Tensor<4>> {
        match self {
            Self::ResNet(net) => Some(net.feature_map(images)),
            Self::EfficientNet(net) => Some(net.feature_map(images)),
            Self::ConvNext(net) => Some(net.feature_map(images)),
            Self::VisionTransformer(net) => net.feature_map(images),
            Self::Mlp(_) => None,
        }
    }

    /// Features of every patch of the images, `[n, patches, feature_size]`, as
    /// [`VisionTransformer::patch_features`] has them; `None` for networks that don't see an image as patches.
    ///
    /// # Panics
    ///
    /// If the images are not of the encoder's size.
    #[must_use]
    pub fn patch_features(&self, images: Tensor<4>) -> Option<Tensor<3>> {
        match self {
            Self::VisionTransformer(net) => Some(net.patch_features(images)),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) | Self::Mlp(_) => None,
        }
    }
}

impl Encoder for ImageEncoder {
    /// Images `[n, 3, height, width]`, normalised.
    ///
    /// # Panics
    ///
    /// `encode` panics if the encoder takes images of one size and these have another:
    /// [`EncoderConfig::check_image_size`](crate::EncoderConfig::check_image_size) tells beforehand.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::ResNet(net) => net.encode(images),
            Self::EfficientNet(net) => net.encode(images),
            Self::ConvNext(net) => net.encode(images),
            Self::VisionTransformer(net) => net.encode(images),
            // Channel by channel, row by row.
            Self::Mlp(net) => net.encode(images.flatten(1, 3)),
        }
    }

    fn inference(&self) -> Inference<Tensor<4>> {
        match self {
            Self::ResNet(net) => net.inference(),
            Self::EfficientNet(net) => net.inference(),
            Self::ConvNext(net) => net.inference(),
            Self::VisionTransformer(net) => net.inference(),
            Self::Mlp(net) => {
                let net = net.inference();
                Inference::new(move |images: Tensor<4>| net.encode(images.flatten(1, 3)))
            }
        }
    }

    fn feature_size(&self) -> usize {
        match self {
            Self::ResNet(net) => net.feature_size(),
            Self::EfficientNet(net) => net.feature_size(),
            Self::ConvNext(net) => net.feature_size(),
            Self::VisionTransformer(net) => net.feature_size(),
            Self::Mlp(net) => net.feature_size(),
        }
    }
}

impl ToOnnx for ImageEncoder {
    fn to_onnx(&self, graph: &mut Graph, images: &Value) -> Value {
        match self {
            Self::ResNet(net) => net.to_onnx(graph, images),
            Self::EfficientNet(net) => net.to_onnx(graph, images),
            Self::ConvNext(net) => net.to_onnx(graph, images),
            Self::VisionTransformer(net) => net.to_onnx(graph, images),
            Self::Mlp(net) => {
                let pixels = graph.flatten(images);
                net.to_onnx(graph, &pixels)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncoderConfig;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn features_are_the_mean_of_those_at_every_place() {
        let device = Device::flex();
        for (name, size) in [
            ("resnet18x0.25_cifar", 32),
            ("efficientnet_b0", 64),
            ("convnext_tiny", 64),
            ("vit_tiny_p8_dinov3_i24", 24),
        ] {
            let encoder = name.parse::<EncoderConfig>().unwrap().init(3, &device).unwrap().valid();
            let images = Tensor::random([2, 3, size, size], Distribution::Default, &device);
            let map = encoder.feature_map(images.clone()).unwrap();
            let expected = encoder.encode(images);
            let mean = map.mean_dims(&[1, 2]).flatten::<2>(1, 3);
            let most = expected.clone().abs().max().into_scalar::<f32>();
            let apart = (mean - expected).abs().max().into_scalar::<f32>();
            assert!(apart < 1e-4 * most, "{name}: {apart} of {most}");
        }
    }

    #[test]
    fn features_that_are_no_mean_have_no_map() {
        let device = Device::flex();
        for name in ["mlp_i16_8_8", "vit_tiny_p8_i16"] {
            let encoder = name.parse::<EncoderConfig>().unwrap().init(3, &device).unwrap();
            assert!(encoder.feature_map(Tensor::zeros([1, 3, 16, 16], &device)).is_none());
        }
    }
}
