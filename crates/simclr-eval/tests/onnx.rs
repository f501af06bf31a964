//! Every kind of encoder with a classifier as ONNX: what a runtime must compute is left for `tests/run_onnx.py`, which
//! compares it with onnxruntime.

use std::fs;
use std::path::PathBuf;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Distribution, Tensor};
use image::{Rgb, RgbImage};
use serde_json::json;
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_embed::{Embedder, OnnxOptions};
use simclr_eval::{Classifier, LinearLayer};
use simclr_model::{Encoder, EncoderConfig, ImageEncoder};

const IMAGES: usize = 5;
const CLASSES: usize = 3;

/// A name for the folder, the encoder, and the side of its images.
const CASES: &[(&str, &str, u32)] = &[
    ("resnet18", "resnet18", 96),
    ("resnet18-cifar", "resnet18x0.125_cifar", 16),
    ("resnet50", "resnet50", 63),
    ("resnet18d", "resnet18dx0.125", 96),
    ("resnet50d", "resnet50dx0.125", 71),
    ("efficientnet", "efficientnet_b0", 65),
    ("efficientnet-tensorflow", "efficientnet_b0_tf", 50),
    ("convnext", "convnext_tiny_d0", 64),
    ("vit", "vit_small_p8_i24", 24),
    ("vit-dinov2", "vit_tiny_p8_dinov2_i24", 24),
    ("vit-dinov2-registers", "vit_tiny_p8_reg4_dinov2_i24", 24),
    ("vit-dinov3", "vit_tiny_p8_dinov3_i40", 40),
    ("vit-dinov3-biases", "vit_tiny_p8_dinov3_qkvb_i40", 40),
    ("mlp", "mlp_i8_20_20_12", 8),
];

/// Moves scales, shifts and running statistics away from ones and zeros, so that each matters.
struct Unsettled;

impl ModuleMapper for Unsettled {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D > 1 {
            return param;
        }
        param.map(|values| {
            let noise = values.random_like(Distribution::Uniform(0.0, 0.5));
            values + noise
        })
    }
}

/// An encoder whose running statistics are not those of a new network, and whose blocks are not the identity.
fn encoder(config: &EncoderConfig, side: u32) -> ImageEncoder {
    let device = Device::flex().autodiff();
    device.seed(5);
    let encoder = config.init(5, &device).unwrap().map(&mut Unsettled);
    let shape = [8, 3, side as usize, side as usize];
    for _ in 0..3 {
        let _ = encoder.encode(Tensor::random(shape, Distribution::Normal(0.2, 1.5), &device));
    }
    encoder.valid()
}

/// Pictures of the transform's own size, whose pixels it leaves as they are.
fn images(side: u32) -> Vec<RgbImage> {
    let pixel = |image: u32, x: u32, y: u32| {
        let value = |channel: u32| ((x * (5 + image) + y * (3 + channel) + 40 * image) % 256) as u8;
        Rgb([0, 1, 2].map(value))
    };
    (0..IMAGES as u32).map(|i| RgbImage::from_fn(side, side, |x, y| pixel(i, x, y))).collect()
}

fn classifier(config: &EncoderConfig, side: u32) -> Classifier {
    let device = Device::flex();
    let transform =
        EvaluationTransform::new(side, ResizeFilter::Bilinear, Normalization::IMAGENET).unwrap();
    let embedder =
        Embedder::new(encoder(config, side), transform, &device).with_config(config.clone());
    let features = embedder.feature_size();
    let weight = |index: usize| (index as f32 * 0.7).sin() / (features as f32).sqrt();
    let weights = (0..CLASSES * features).map(weight).collect();
    let layer = LinearLayer::new(weights, vec![0.1, -0.2, 0.3]);
    let names = ["ant", "bee", "\"wasp\""].map(str::to_owned).to_vec();
    Classifier::new(embedder, layer, names).unwrap()
}

fn bytes(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

#[test]
fn every_kind_of_encoder_leaves_its_graphs_and_what_they_must_compute() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    for &(name, encoder, side) in CASES {
        let config: EncoderConfig = encoder.parse().unwrap();
        let classifier = classifier(&config, side);
        let images = images(side);
        let features = classifier.embedder().embed_images(&images).unwrap();
        let probabilities = classifier.predict(&images).unwrap();

        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let write = |file: &str, bytes: &[u8]| fs::write(folder.join(file), bytes).unwrap();
        for (file, with_preprocessing, half) in
            [("images.onnx", false, false), ("pixels.onnx", true, false), ("half.onnx", true, true)]
        {
            let graph = classifier.to_onnx(OnnxOptions { with_preprocessing, half });
            write(file, &graph.into_bytes().unwrap());
        }
        let shapes = json!({
            "encoder": encoder,
            "images": IMAGES, "side": side, "features": features.size(), "classes": CLASSES,
        });
        write("shapes.json", shapes.to_string().as_bytes());
        let pixels: Vec<u8> = images.iter().flat_map(|image| image.as_raw().clone()).collect();
        write("pixels.u8", &pixels);
        write("features.f32", &bytes(features.rows().flatten().copied()));
        write("probabilities.f32", &bytes(probabilities.rows().flatten().copied()));
    }
}

/// Makes every parameter a million times as large.
struct Larger;

impl ModuleMapper for Larger {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values * 1e6)
    }
}

#[test]
fn weights_beyond_f16_are_refused_in_half() {
    let config: EncoderConfig = "mlp_i8_12".parse().unwrap();
    let transform =
        EvaluationTransform::new(8, ResizeFilter::Bilinear, Normalization::IMAGENET).unwrap();
    let encoder = config.init(0, &Device::flex()).unwrap().map(&mut Larger);
    let embedder = Embedder::new(encoder, transform, &Device::flex());
    let bytes = |half| {
        let options = OnnxOptions { with_preprocessing: false, half };
        embedder.to_onnx(options).0.into_bytes()
    };
    assert!(bytes(false).is_ok());
    let error = bytes(true).unwrap_err().to_string();
    assert!(error.starts_with("expected the values of `output.weight` in f16's range"), "{error}");
}
