//! Classifiers that are saved and loaded, and files that are no classifiers.

use std::path::Path;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use image::RgbImage;
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_embed::{EmbedError, Embedder, EmbedderFile};
use simclr_eval::{Classifier, EvalError, LinearLayer};
use simclr_model::{EncoderConfig, ResNet, ResNetConfig, ResNetDepth, Stem, save_weights};

fn encoder(width: usize, seed: u64) -> ResNet {
    ResNetConfig::new(ResNetDepth::ResNet18, width, Stem::Cifar)
        .init(seed, &Device::flex())
        .unwrap()
}

/// Images of 12 pixels.
fn transform() -> EvaluationTransform {
    EvaluationTransform::new(12, ResizeFilter::Bicubic, Normalization::IMAGENET).unwrap()
}

/// Three classes with hostile names, one of them never learnt.
fn classifier() -> Classifier<ResNet> {
    let weights = (0..3 * 8).map(|i| (i as f32 * 0.7).sin()).collect();
    let layer = LinearLayer::new(weights, vec![0.5, -0.25, f32::NEG_INFINITY]);
    let names = ["a \"quoted\" cat", "Hund\n", "鳥"].map(str::to_owned).to_vec();
    let embedder = Embedder::new(encoder(1, 3), transform(), &Device::flex());
    Classifier::new(embedder, layer, names).unwrap()
}

/// The tensors of a classifier's file.
#[derive(Module, Debug)]
struct Around {
    encoder: ResNet,
    classifier: Linear,
}

impl Around {
    fn new() -> Self {
        let classifier = LinearConfig::new(8, 3).init(&Device::flex());
        Self { encoder: encoder(1, 0), classifier }
    }
}

fn load(path: &Path, width: usize) -> Result<Classifier<ResNet>, EvalError> {
    Classifier::load(path, encoder(width, 0), &Device::flex())
}

fn picture() -> RgbImage {
    RgbImage::from_fn(20, 15, |x, y| image::Rgb([(x * 12) as u8, (y * 16) as u8, 77]))
}

#[test]
fn a_classifier_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    let saved = classifier();
    saved.save(&path).unwrap();
    saved.save(&path).unwrap(); // replaces itself
    let loaded = load(&path, 1).unwrap();
    assert_eq!(loaded.class_names(), saved.class_names());
    assert_eq!(loaded.layer(), saved.layer());
    let predict = |classifier: &Classifier<ResNet>| classifier.predict(&[picture()]).unwrap();
    assert_eq!(predict(&loaded), predict(&saved));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_classifier_that_names_its_encoder_is_opened_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    let config: EncoderConfig = "resnet18x0.25_cifar".parse().unwrap();
    let device = Device::flex();
    let embedder = Embedder::new(config.init(3, &device).unwrap(), transform(), &device);
    let layer = LinearLayer::new((0..256).map(|i| (i as f32).sin()).collect(), vec![0.0, 1.0]);
    let names = vec!["cat".to_owned(), "dog".to_owned()];
    let saved = Classifier::new(embedder.with_config(config.clone()), layer, names).unwrap();
    saved.save(&path).unwrap();
    let opened = Classifier::open(&path, &device).unwrap();
    assert_eq!(opened.embedder().config(), Some(&config));
    assert_eq!(opened.predict(&[picture()]).unwrap(), saved.predict(&[picture()]).unwrap());

    classifier().save(&path).unwrap();
    let error = Classifier::open(&path, &device).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("expected a header with `simclr.encoder` in "), "{error}");
}

#[test]
fn other_files_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    let refused = |width| load(&path, width).map(|_| ()).unwrap_err();
    let unreadable = |error: EvalError| {
        assert!(is_about_weights(&error), "{error}");
        assert!(error.to_string().contains("classifier.safetensors"), "{error}");
    };
    unreadable(refused(1)); // no file

    for bytes in [&b"short"[..], &[255; 64], b"PK\x03\x04 and no zip"] {
        std::fs::write(&path, bytes).unwrap();
        unreadable(refused(1));
    }
    save_weights(&encoder(1, 0), &path).unwrap();
    let expected = "expected a header with `simclr.format` in ";
    assert!(refused(1).to_string().starts_with(expected), "{}", refused(1));
    Embedder::new(encoder(1, 0), transform(), &Device::flex()).save(&path).unwrap();
    let expected = "expected a classifier, with the names of its classes, in ";
    assert!(refused(1).to_string().starts_with(expected), "{}", refused(1));

    classifier().save(&path).unwrap();
    let other = refused(2).to_string();
    assert!(other.contains("`classifier.weight` of shape [16, 3]"), "{other}");
}

/// Whether the file cannot be read, or holds other tensors.
fn is_about_weights(error: &EvalError) -> bool {
    matches!(error, EvalError::Embed(EmbedError::Weights(_) | EmbedError::Model(_)))
}

#[test]
fn class_names_that_are_none_or_others_than_the_layer_has_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    classifier().save(&path).unwrap();
    let network = EmbedderFile::open(&path).unwrap().load(Around::new()).unwrap();
    // Nothing is allocated for a million classes.
    let million = serde_json::to_string(&vec!["x"; 1_000_000]).unwrap();
    for (names, expected) in [
        ("{", "a list of class names"),
        ("[1, 2, 3]", "a list of class names"),
        ("[]", "at least one class"),
        (r#"["a", "b", "c", "d"]"#, "`classifier.weight` of shape [8, 4]"),
        (&million, "`classifier.weight` of shape [8, 1000000]"),
    ] {
        let more = [("simclr.class_names", names.to_owned())];
        EmbedderFile::write(&network, None, &transform(), more, &path).unwrap();
        let error = load(&path, 1).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{names:.40}: {error}");
    }
    let none: [(&str, String); 0] = [];
    EmbedderFile::write(&network, None, &transform(), none, &path).unwrap();
    let error = load(&path, 1).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("expected a classifier, with the names of its classes, in "),
        "{error}"
    );
}

#[test]
fn a_layer_of_nan_or_infinity_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    for biases in [[f32::NAN, 0.0, 0.0], [f32::INFINITY, 0.0, 0.0]] {
        let layer = LinearLayer::new(vec![0.5; 24], biases.to_vec());
        let good = classifier();
        let names = good.class_names().to_vec();
        let bad = Classifier::new(good.embedder().clone(), layer, names).unwrap();
        bad.save(&path).unwrap();
        let error = load(&path, 1).map(|_| ()).unwrap_err();
        assert!(is_about_weights(&error), "{error}");
    }
}
