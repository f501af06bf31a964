//! Fine-tuning beside PyTorch's: the same weights, the same images, the same losses and probabilities.
//!
//! `golden/fine_tune.py` says what is trained; both sides compute weights and images from the same
//! formulas.

use std::ops::ControlFlow;

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use serde::Deserialize;
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_data::{DataError, ImageDataset};
use simclr_embed::Embedder;
use simclr_eval::{FineTune, FineTuneConfig, FineTuneOptimizer, LinearStart};
use simclr_model::Encoder;
use simclr_nn::{BatchNorm, Conv2d};

const IMAGES: usize = 12;
const CLASSES: usize = 3;
const SIDE: u32 = 8;
const CHANNELS: usize = 6;
const EPOCHS: usize = 8;

#[derive(Deserialize)]
struct Golden {
    optimizer: String,
    peak: f64,
    weight_decay: f32,
    losses: Vec<f64>,
    probabilities: Vec<f32>,
}

/// Patterns that are their own mirror images.
struct Patterns {
    class_names: Vec<String>,
}

impl ImageDataset for Patterns {
    fn len(&self) -> usize {
        IMAGES
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        Ok(RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let (column, index) = (x.min(SIDE - 1 - x), index as u32);
            let value = |c: u32| 37 * index + 11 * column * (c + 1) + 23 * y * (index % 3 + 1);
            image::Rgb([0, 1, 2].map(|channel| (value(channel) % 256) as u8))
        }))
    }
    fn label(&self, index: usize) -> Option<usize> {
        Some(index % CLASSES)
    }
    fn class_names(&self) -> &[String] {
        &self.class_names
    }
    fn name(&self, index: usize) -> String {
        format!("pattern {index}")
    }
}

/// A convolution, batch normalisation, ReLU and the mean over all pixels.
#[derive(Module, Debug)]
struct OneLayer {
    conv: Conv2d,
    norm: BatchNorm,
}

impl OneLayer {
    fn new(device: &Device) -> Self {
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let conv = Conv2dConfig::new([3, CHANNELS], [3, 3]).with_padding(padding).with_bias(false);
        let (mut conv, norm) = (conv.init(device), BatchNormConfig::new(CHANNELS).init(device));
        let shape = [CHANNELS, 3, 3, 3];
        let weights = filled(shape, |k| 0.3 * (0.7 * k + 0.2).sin(), device);
        conv.weight = Param::from_tensor(weights);
        let mut norm = BatchNorm::from(norm);
        norm.gamma = Param::from_tensor(filled([CHANNELS], |k| 1.0 + 0.25 * k.sin(), device));
        norm.beta = Param::from_tensor(filled([CHANNELS], |k| 0.1 * k.cos(), device));
        Self { conv: conv.into(), norm }
    }
}

fn filled<const D: usize>(
    shape: [usize; D],
    value: impl Fn(f64) -> f64,
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|k: usize| value(k as f64) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl Encoder for OneLayer {
    type Input = Tensor<4>;
    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.norm.forward_relu(self.conv.forward(images)); // [n, 6, 8, 8]
        x.flatten::<3>(2, 3).mean_dim(2).flatten(1, 2)
    }
    fn feature_size(&self) -> usize {
        CHANNELS
    }
}

fn compare(name: &str, optimizer: FineTuneOptimizer) {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden/fine_tune.json")).unwrap();
    let golden = golden.into_iter().find(|golden| golden.optimizer == name).unwrap();
    let device = Device::flex();
    let images = Patterns { class_names: (0..CLASSES).map(|class| class.to_string()).collect() };
    let transform =
        EvaluationTransform::new(SIDE, ResizeFilter::Bilinear, Normalization::CENTRED).unwrap();
    let config = FineTuneConfig {
        epochs: EPOCHS,
        batch_size: IMAGES,
        learning_rate: golden.peak,
        optimizer,
        weight_decay: golden.weight_decay,
        start: LinearStart::Zero,
        crop_area: [1.0, 1.0], // the whole image, as it is square
        seed: 5,
    };
    let mut losses = Vec::new();
    let embedder = Embedder::new(OneLayer::new(&device), transform, &device);
    let tuned = FineTune::new(config).unwrap().fit(&embedder, &images, |progress| {
        losses.push(progress.loss);
        ControlFlow::Continue(())
    });
    assert_eq!(losses.len(), golden.losses.len());
    for (epoch, (found, expected)) in losses.iter().zip(&golden.losses).enumerate() {
        let apart = (found / expected - 1.0).abs();
        assert!(apart < 1e-5, "{name}, epoch {epoch}: {found}, not {expected}");
    }
    let pictures: Vec<RgbImage> = (0..IMAGES).map(|i| images.image(i).unwrap()).collect();
    let probabilities = tuned.unwrap().classifier.predict(&pictures).unwrap();
    for (found, expected) in probabilities.rows().flatten().zip(&golden.probabilities) {
        assert!((found - expected).abs() < 1e-5, "{name}: {found}, not {expected}");
    }
}

#[test]
fn adamw_ends_where_pytorch_does() {
    compare("adamw", FineTuneOptimizer::AdamW);
}

#[test]
fn nesterov_ends_where_pytorch_does() {
    compare("nesterov", FineTuneOptimizer::Nesterov);
}
