//! Classifiers that are saved and loaded, and files that are no classifiers.

use std::path::Path;

use burn::tensor::Device;
use image::RgbImage;
use proptest::prelude::*;
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_eval::{Classifier, EvalError, LinearLayer};
use simclr_model::{ResNet, ResNetConfig, ResNetDepth, Stem, save_weights};

fn encoder(width: usize, seed: u64) -> ResNet {
    let config = ResNetConfig::new(ResNetDepth::ResNet18, width, Stem::Cifar);
    config.init(seed, &Device::flex()).unwrap()
}

/// Three classes with hostile names, one of them never learnt.
fn classifier() -> Classifier<ResNet> {
    let weights = (0..3 * 8).map(|i| (i as f32 * 0.7).sin()).collect();
    let layer = LinearLayer::new(weights, vec![0.5, -0.25, f32::NEG_INFINITY]);
    let names = ["a \"quoted\" cat", "Hund\n", "鳥"].map(str::to_owned).to_vec();
    let transform =
        EvaluationTransform::new(12, ResizeFilter::Bicubic, Normalization::IMAGENET).unwrap();
    Classifier::new(encoder(1, 3), layer, names, transform, &Device::flex()).unwrap()
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
fn other_files_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    let message = |path: &Path| load(path, 1).map(|_| ()).unwrap_err().to_string();
    assert!(matches!(load(&path, 1), Err(EvalError::Read { .. })));

    std::fs::write(&path, b"short").unwrap();
    assert!(message(&path).starts_with("expected a safetensors file in "));
    std::fs::write(&path, [255; 64]).unwrap();
    assert!(message(&path).ends_with("found 64 bytes with a header of 18446744073709551615"));
    save_weights(&encoder(1, 0), &path).unwrap();
    assert!(message(&path).ends_with("found none in its metadata"), "{}", message(&path));

    classifier().save(&path).unwrap();
    assert!(matches!(load(&path, 2), Err(EvalError::Weights(_))), "another architecture");
}

/// Replaces one text of the header by another, and the header's length with it.
fn edit(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains(from), "{from} in {header}");
    let header = header.replace(from, to);
    let mut edited = (header.len() as u64).to_le_bytes().to_vec();
    edited.extend_from_slice(header.as_bytes());
    edited.extend_from_slice(&bytes[8 + length..]);
    edited
}

#[test]
fn metadata_that_says_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    classifier().save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for (from, to, expected) in [
        (
            r#""simclr_classifier_format":"1""#,
            r#""simclr_classifier_format":"2""#,
            "a classifier of format 1",
        ),
        // One name too many for the layer.
        (r#"Hund\\n\","#, r#"Hund\\n\",\"more\","#, "cannot load weights"),
        (r#"{\"size\":12"#, r#"{\"size\":0"#, "an evaluation transform"),
        (r#"{\"size\":12"#, r#"{\"sizes\":12"#, "an evaluation transform"),
        (r#""class_names":"["#, r#""class_names":"{"#, "a list of class names"),
    ] {
        std::fs::write(&path, edit(&whole, from, to)).unwrap();
        let error = load(&path, 1).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}

#[test]
fn a_layer_of_no_numbers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    for biases in [[f32::NAN, 0.0, 0.0], [f32::INFINITY, 0.0, 0.0]] {
        let layer = LinearLayer::new(vec![0.5; 24], biases.to_vec());
        let good = classifier();
        let names = good.class_names().to_vec();
        let bad =
            Classifier::new(encoder(1, 0), layer, names, good.transform().clone(), &Device::flex());
        bad.unwrap().save(&path).unwrap();
        let error = load(&path, 1).map(|_| ()).unwrap_err();
        assert!(matches!(error, EvalError::Weights(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_damaged_file_is_an_error_or_harmless_and_never_a_panic(
        at in 0.0_f64..1.0,
        byte in any::<u8>(),
        cut in prop::option::of(0.0_f64..1.0),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classifier.safetensors");
        classifier().save(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[(at * header as f64) as usize] = byte;
        if let Some(cut) = cut {
            bytes.truncate((cut * bytes.len() as f64) as usize);
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(loaded) = load(&path, 1) {
            prop_assert_eq!(loaded.predict(&[picture()]).unwrap().classes(), 3);
        }
    }
}
