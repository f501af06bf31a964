//! Encoders that are ready for inference beside the same encoders as they train.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Distribution, Tensor};
use simclr_model::{Encoder, EncoderConfig, ImageEncoder, Inference, load_weights, save_weights};

fn images(n: usize, size: [usize; 2], device: &Device) -> Tensor<4> {
    device.seed(4);
    Tensor::random([n, 3, size[0], size[1]], Distribution::Normal(0.0, 1.0), device)
}

/// An encoder whose normalisations have seen a batch, so that their statistics are not 0 and 1, and whose zero gammas
/// are not zero.
fn encoder(name: &str, size: [usize; 2]) -> ImageEncoder {
    let device = Device::flex().autodiff();
    let encoder = name.parse::<EncoderConfig>().unwrap().init(3, &device).unwrap();
    let encoder = encoder.map(&mut Shifted);
    for _ in 0..3 {
        let _ = encoder.encode(images(4, size, &device));
    }
    encoder
}

/// Adds to every number of one dimension.
struct Shifted;

impl ModuleMapper for Shifted {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D > 1 {
            return param;
        }
        param.map(|values| (values.detach() + 0.25).detach().require_grad())
    }
}

fn off(found: Tensor<2>, expected: Tensor<2>) -> f32 {
    let scale = expected.clone().abs().max().into_scalar::<f32>();
    (found - expected).abs().max().into_scalar::<f32>() / scale
}

/// The names of a file of weights, and the features of the encoder that loads it.
fn saved_and_loaded(encoder: &ImageEncoder, name: &str, size: [usize; 2]) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    save_weights(encoder, &path).unwrap();
    let fresh = name.parse::<EncoderConfig>().unwrap().init(8, &Device::flex()).unwrap();
    let loaded = load_weights(fresh, &path).unwrap();
    loaded.encode(images(2, size, &Device::flex())).into_data().try_to_vec().unwrap()
}

#[test]
fn every_family_gives_the_features_that_it_gave_before() {
    for (name, size) in [
        ("resnet18x0.25", [45, 50]),
        ("resnet18x0.25_cifar", [17, 23]),
        ("resnet50x0.25", [33, 40]),
        ("resnet18x0.1875_gamma1", [31, 33]),
        ("resnet18dx0.25", [45, 50]),
        ("resnet50dx0.125", [64, 39]),
        ("efficientnet_b0", [33, 40]),
        ("efficientnet_b0_tf", [37, 34]),
        ("convnext_tiny", [45, 64]),
        ("vit_tiny_p8_i32", [32, 32]),
        ("vit_tiny_p8_dinov2_i32", [32, 32]),
        ("vit_tiny_p8_reg4_dinov2_i32", [32, 32]),
        ("vit_tiny_p8_dinov3_i32", [32, 32]),
        ("vit_tiny_p8_dinov3_qkvb_i32", [32, 32]),
        ("mlp_i32_64_16", [32, 32]),
        ("mlp_i32_64_32_16_nonorm", [32, 32]),
        ("mlp_i32_64_16_drop0.2", [32, 32]),
    ] {
        let encoder = encoder(name, size);
        let images = images(3, size, &Device::flex());
        let expected = encoder.valid().encode(images.clone());
        let found = encoder.inference().encode(images);
        let off = off(found, expected);
        assert!(off < 1e-5, "{name}: {off:e}");
    }
}

#[test]
fn training_goes_on_as_if_there_had_been_no_inference() {
    let (name, size) = ("resnet18x0.25_cifar", [16, 16]);
    let device = Device::flex().autodiff();
    let step = |encoder: &ImageEncoder| {
        let features = encoder.encode(images(4, size, &device));
        let gradients = features.clone().powi_scalar(2).mean().backward();
        drop(gradients);
        features.inner().into_data()
    };
    let (undisturbed, disturbed) = (encoder(name, size), encoder(name, size));
    let ready: Inference<_> = disturbed.inference();
    let before = ready.encode(images(2, size, &Device::flex())).into_data();
    for _ in 0..2 {
        step(&disturbed).assert_eq(&step(&undisturbed), true);
        let _ = ready.encode(images(2, size, &Device::flex()));
    }
    // The statistics of the encoder have moved on, and what is ready has stayed.
    ready.encode(images(2, size, &Device::flex())).into_data().assert_eq(&before, true);
}

#[test]
fn what_is_saved_is_the_encoder_whether_it_was_made_ready_or_not() {
    let (name, size) = ("resnet18x0.25_cifar", [16, 16]);
    let encoder = encoder(name, size);
    let before = saved_and_loaded(&encoder, name, size);
    let _ = encoder.inference().encode(images(2, size, &Device::flex()));
    assert_eq!(saved_and_loaded(&encoder, name, size), before);
}

#[test]
fn images_that_could_have_gradients_are_encoded_without() {
    let encoder = encoder("resnet18x0.25_cifar", [16, 16]);
    let features = encoder.inference().encode(images(2, [16, 16], &Device::flex().autodiff()));
    assert!(!features.device().is_autodiff());
}
