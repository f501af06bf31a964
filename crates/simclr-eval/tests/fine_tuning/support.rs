//! A tiny network, tiny samples, and what is asked of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use simclr_augment::{EvaluationTransform, SimClrAugmentation};
use simclr_data::{DataError, ImageDataset, Labelled, SampleConfig, Splits};
use simclr_embed::Embedder;
use simclr_eval::{EvalError, FineTune, FineTuneConfig, FineTuneProgress, FineTuned};
use simclr_model::{Encoder, ResNet, ResNetConfig, ResNetDepth, Stem, save_weights};

pub(crate) fn encoder() -> ResNet {
    let config = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar);
    config.init(1, &Device::flex()).unwrap()
}

pub(crate) fn transform() -> EvaluationTransform {
    SimClrAugmentation::cifar10().with_size(16).unwrap().evaluation()
}

pub(crate) fn labelled(images: usize) -> Labelled {
    let config = SampleConfig { images, size: 16, ..SampleConfig::default() };
    Splits::sample(&config).unwrap().labelled.unwrap()
}

pub(crate) fn embedder() -> Embedder<ResNet> {
    Embedder::new(encoder(), transform(), &Device::flex())
}

pub(crate) fn quick() -> FineTuneConfig {
    FineTuneConfig { epochs: 2, batch_size: 16, ..FineTuneConfig::default() }
}

pub(crate) fn go_on(_: FineTuneProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn fit(
    config: FineTuneConfig,
    images: &dyn ImageDataset,
) -> Result<FineTuned<ResNet>, EvalError> {
    FineTune::new(config)?.fit(&embedder(), images, go_on)
}

pub(crate) fn message(config: FineTuneConfig, images: &dyn ImageDataset) -> String {
    fit(config, images).map(|_| ()).unwrap_err().to_string()
}

/// All weights of an encoder, running averages among them.
pub(crate) fn weights(encoder: &impl Encoder) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    save_weights(encoder, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    // After the header, which holds random parameter ids.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

pub(crate) fn pictures(images: &dyn ImageDataset) -> Vec<RgbImage> {
    (0..images.len()).map(|i| images.image(i).unwrap()).collect()
}

/// A set of which some images are damaged, and some have no label.
pub(crate) struct Flawed {
    pub(crate) images: Arc<dyn ImageDataset>,
    pub(crate) unreadable: Vec<usize>,
    pub(crate) unlabelled: Option<usize>,
}

impl Flawed {
    pub(crate) fn without(unreadable: Vec<usize>) -> Self {
        Self { images: labelled(40).train, unreadable, unlabelled: None }
    }
}

impl ImageDataset for Flawed {
    fn len(&self) -> usize {
        self.images.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        if self.unreadable.contains(&index) {
            let source = image::ImageError::IoError(std::io::Error::other("torn"));
            return Err(DataError::Decode { path: self.name(index).into(), source });
        }
        self.images.image(index)
    }
    fn label(&self, index: usize) -> Option<usize> {
        if self.unlabelled == Some(index) { None } else { self.images.label(index) }
    }
    fn class_names(&self) -> &[String] {
        self.images.class_names()
    }
    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }
}
