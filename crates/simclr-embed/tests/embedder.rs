//! Embedders of tiny networks on the built-in sample.

use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use simclr_augment::{EvaluationTransform, SimClrAugmentation};
use simclr_data::{DataError, ImageDataset, Sample, SampleConfig, Subset};
use simclr_embed::{EmbedError, Embedder, FeatureSource, raw_pixels};
use simclr_model::{
    EncoderConfig, Naming, ProjectionHeadConfig, WeightFile, save_published_weights,
};

fn transform(size: u32) -> EvaluationTransform {
    SimClrAugmentation::cifar10().with_size(size).unwrap().evaluation()
}

fn embedder(name: &str) -> Embedder {
    let device = Device::flex();
    let config: EncoderConfig = name.parse().unwrap();
    Embedder::new(config.init(3, &device).unwrap(), transform(16), &device).with_config(config)
}

fn sample(images: usize) -> Sample {
    Sample::new(SampleConfig { images, size: 24, ..SampleConfig::default() }).unwrap()
}

/// A set of which every fifth image is damaged, and image 7 may have no label.
struct Flawed {
    images: Sample,
    unlabelled: bool,
}

impl ImageDataset for Flawed {
    fn len(&self) -> usize {
        self.images.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        if index % 5 == 4 {
            let source = image::ImageError::IoError(std::io::Error::other("torn"));
            return Err(DataError::Decode { path: self.name(index).into(), source });
        }
        self.images.image(index)
    }
    fn label(&self, index: usize) -> Option<usize> {
        if self.unlabelled && index == 7 { None } else { self.images.label(index) }
    }
    fn class_names(&self) -> &[String] {
        self.images.class_names()
    }
    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }
}

#[test]
fn vectors_do_not_depend_on_batches_or_threads() {
    let images = sample(23);
    for name in ["resnet18x0.25_cifar", "vit_tiny_p8_i16", "mlp_i16_24_8"] {
        let expected = embedder(name).embed(&images).unwrap().features;
        for (batch_size, threads) in [(1, 1), (4, 3), (23, 2), (64, 1)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let embedder = embedder(name).with_batch_size(batch_size).unwrap();
            let found = pool.install(|| embedder.embed(&images).unwrap().features);
            for (a, b) in found.values().iter().zip(expected.values()) {
                assert!((a - b).abs() < 1e-5, "{name}, batches of {batch_size}: {a}, not {b}");
            }
        }
    }
}

#[test]
fn a_vector_knows_its_image_although_others_cannot_be_read() {
    let images = Flawed { images: sample(12), unlabelled: false };
    let embedder = embedder("resnet18x0.25_cifar").with_batch_size(3).unwrap();
    let embedded = embedder.embed_labelled(&images).unwrap();
    assert_eq!(embedded.indices, [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]);
    assert_eq!(embedded.names[4], images.name(5));
    assert_eq!(embedded.labelled.labels()[4], 5);
    let skipped: Vec<String> = embedded.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(skipped.len(), 2);
    assert!(skipped[1].contains(&images.name(9)), "{skipped:?}");
    let features = embedded.labelled.features();
    assert_eq!(features.source(), FeatureSource::Encoder);
    let alone = embedder.embed_image(&images.image(5).unwrap()).unwrap();
    for (a, b) in alone.values().iter().zip(features.row(4)) {
        assert!((a - b).abs() < 1e-5, "{a}, not {b}");
    }
}

#[test]
fn a_set_with_an_unlabelled_image_is_refused_by_its_name() {
    let images = Flawed { images: sample(12), unlabelled: true };
    let embedder = embedder("resnet18x0.25_cifar");
    let head = ProjectionHeadConfig::default().init(embedder.feature_size(), 0, embedder.device());
    let expected = "expected a label for every image to evaluate, found none for sample/chevron/7";
    for error in [
        embedder.embed_labelled(&images).unwrap_err(),
        embedder.embed_projections(&head.unwrap(), &images).unwrap_err(),
        raw_pixels(&images, embedder.transform()).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_empty_set_has_no_vectors_and_one_without_a_readable_image_neither() {
    let embedder = embedder("resnet18x0.25_cifar");
    let none = Subset::new(Arc::new(sample(5)), vec![]).unwrap();
    assert!(embedder.embed(&none).unwrap().features.is_empty());
    let flawed: Arc<dyn ImageDataset> = Arc::new(Flawed { images: sample(5), unlabelled: false });
    let torn = embedder.embed(&Subset::new(flawed, vec![4]).unwrap()).unwrap();
    assert_eq!((torn.features.len(), torn.skipped.len()), (0, 1));
}

#[test]
fn projections_are_the_heads_outputs_and_raw_pixels_the_images() {
    let (images, embedder) = (sample(6), embedder("resnet18x0.25_cifar"));
    let head = ProjectionHeadConfig { output_size: 7, ..ProjectionHeadConfig::default() };
    let head = head.init(embedder.feature_size(), 1, embedder.device()).unwrap();
    let projected = embedder.embed_projections(&head, &images).unwrap().labelled;
    let features = projected.features();
    assert_eq!((features.len(), features.size()), (6, 7));
    assert_eq!(features.source(), FeatureSource::Projection);

    let pixels = raw_pixels(&images, embedder.transform()).unwrap().labelled;
    let mut expected = vec![0.0; 3 * 16 * 16];
    embedder.transform().view_into(&images.image(2).unwrap(), &mut expected).unwrap();
    assert_eq!(pixels.features().row(2), expected);
    assert_eq!(pixels.features().source(), FeatureSource::RawPixels);
}

#[test]
fn batch_size_cannot_be_zero() {
    let error = embedder("mlp_i16_8").with_batch_size(0).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "expected batch_size to be at least 1, found 0");
}

#[test]
fn an_image_without_pixels_is_an_error() {
    let error = embedder("mlp_i16_8").embed_image(&RgbImage::new(0, 4)).unwrap_err();
    assert!(matches!(error, EmbedError::Augmentation(_)), "{error}");
}

#[test]
fn published_weights_need_the_encoder_and_the_transform() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resnet18.safetensors");
    let (images, published) = (sample(5), embedder("resnet18x0.25_cifar"));
    save_published_weights(published.encoder(), Naming::Torchvision, &path).unwrap();
    let config = published.config().unwrap();
    let file = || WeightFile::open(&path).unwrap();
    let read = Embedder::from_weights(file(), config, transform(16), &Device::flex());
    let (read, report) = read.unwrap();
    assert_eq!(report.naming, Naming::Torchvision);
    let features = |embedder: &Embedder| embedder.embed(&images).unwrap().features;
    assert_eq!(features(&read), features(&published));

    let vit: EncoderConfig = "vit_tiny_p8_i32".parse().unwrap();
    let error = Embedder::from_weights(file(), &vit, transform(16), &Device::flex());
    let error = error.map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "expected images of 32 x 32 pixels, found 16 x 16");
}
