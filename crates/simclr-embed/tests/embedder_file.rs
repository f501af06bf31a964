//! Embedders that are saved and opened, and files that are no embedder's.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use image::RgbImage;
use proptest::prelude::*;
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_embed::{EmbedError, Embedder};
use simclr_model::{Encoder, EncoderConfig, save_weights};

fn embedder(name: &str) -> Embedder {
    let device = Device::flex();
    let config: EncoderConfig = name.parse().unwrap();
    let transform =
        EvaluationTransform::new(12, ResizeFilter::Bicubic, Normalization::IMAGENET).unwrap();
    Embedder::new(config.init(3, &device).unwrap(), transform, &device).with_config(config)
}

fn picture() -> RgbImage {
    RgbImage::from_fn(20, 15, |x, y| image::Rgb([(x * 12) as u8, (y * 16) as u8, 77]))
}

fn refused(path: &Path) -> EmbedError {
    Embedder::open(path, &Device::flex()).map(|_| ()).unwrap_err()
}

/// Whether the file cannot be read, or holds other tensors.
fn is_about_weights(error: &EmbedError) -> bool {
    matches!(error, EmbedError::Weights(_) | EmbedError::Model(_))
}

#[test]
fn an_embedder_survives_its_file_and_is_found_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    for name in ["resnet18x0.25_cifar", "efficientnet_b0", "vit_tiny_p4_i12", "mlp_i12_16_8"] {
        let saved = embedder(name);
        saved.save(&path).unwrap();
        for place in [folder.path(), &path] {
            let opened = Embedder::open(place, &Device::flex()).unwrap();
            assert_eq!(opened.config(), saved.config());
            let (a, b) = (opened.transform(), saved.transform());
            assert_eq!(
                (a.size(), a.filter(), a.normalization()),
                (b.size(), b.filter(), b.normalization())
            );
            let vector = |embedder: &Embedder| embedder.embed_image(&picture()).unwrap();
            assert_eq!(vector(&opened), vector(&saved), "{name}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
}

#[test]
fn a_run_that_has_not_ended_is_told_from_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let message = refused(folder.path()).to_string();
    let expected = "expected the trained encoder, which a run writes when it ends, in ";
    assert!(message.starts_with(expected), "{message}");
    assert!(message.ends_with("encoder.safetensors, found no such file"), "{message}");

    let path = folder.path().join("encoder.safetensors");
    for bytes in [&b"short"[..], &[255; 64], b"PK\x03\x04 and no zip", b""] {
        std::fs::write(&path, bytes).unwrap();
        let error = refused(folder.path());
        assert!(is_about_weights(&error), "{error}");
        assert!(error.to_string().contains("encoder.safetensors"), "{error}");
    }
    assert!(is_about_weights(&refused(&folder.path().join("nothing.safetensors"))));
}

#[test]
fn weights_that_do_not_say_what_they_are_of_are_refused_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    save_weights(embedder("mlp_i12_8").encoder(), &path).unwrap();
    let message = refused(&path).to_string();
    assert!(message.starts_with("expected a header with `simclr.format` in "), "{message}");

    // An encoder of one's own has no config.
    let unnamed = embedder("mlp_i12_8");
    let unnamed =
        Embedder::new(unnamed.encoder().clone(), unnamed.transform().clone(), unnamed.device());
    unnamed.save(&path).unwrap();
    let message = refused(&path).to_string();
    assert!(message.starts_with("expected a header with `simclr.encoder` in "), "{message}");
    // Whoever knows the architecture can load it.
    let other = Embedder::load(&path, embedder("mlp_i12_8").encoder().clone(), unnamed.device());
    let vector = |embedder: &Embedder| embedder.embed_image(&picture()).unwrap();
    assert_eq!(vector(&other.unwrap()), vector(&unnamed));
}

#[test]
fn clones_of_an_encoder_that_is_loaded_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    let config: EncoderConfig = "resnet18x0.25_cifar".parse().unwrap();
    let saved = embedder("resnet18x0.25_cifar");
    let trained = config.init(4, saved.device()).unwrap();
    // Its running statistics are those of this picture; the first ones of all encoders are alike.
    let pixels = Tensor::<4>::random(
        [2, 3, 12, 12],
        Distribution::Default,
        &saved.device().clone().autodiff(),
    );
    let trained = trained.train();
    let _ = trained.encode(pixels);
    saved.clone().with_encoder(trained).save(&path).unwrap();

    let own = config.init(9, saved.device()).unwrap();
    let vector = |encoder| saved.clone().with_encoder(encoder).embed_image(&picture()).unwrap();
    let before = vector(own.clone());
    let loaded = Embedder::load(&path, own.clone(), saved.device()).unwrap();
    assert_eq!(vector(own), before);
    assert_ne!(loaded.embed_image(&picture()).unwrap(), before);
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
fn a_header_that_says_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    embedder("mlp_i12_8").save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let encoder = r#""simclr.encoder":"mlp_i12_8""#;
    for (from, to, expected) in [
        (r#""simclr.format":"1""#, r#""simclr.format":"2""#, "expected `simclr.format` 1 in "),
        (r#"{\"size\":12"#, r#"{\"size\":0"#, "expected an evaluation transform in "),
        (r#"{\"size\":12"#, r#"{\"sizes\":12"#, "expected an evaluation transform in "),
        (r#"{\"size\":12"#, r#"{\"size\":16"#, "expected images of 12 x 12 pixels, found 16 x 16"),
        (encoder, r#""simclr.encoder":"mlp_i12""#, "expected an encoder out of resnet18, "),
        (encoder, r#""simclr.encoder":"vit_base_p12_i12""#, "cannot load weights from "),
        (encoder, r#""simclr.encoder":"mlp_i12_4""#, "cannot load weights from "),
        // Nothing is allocated for these.
        (
            encoder,
            r#""simclr.encoder":"resnet152x1000""#,
            "expected the weights of resnet152x1000, more than ",
        ),
        (
            encoder,
            r#""simclr.encoder":"mlp_i12_65535_65535_65535""#,
            "expected the weights of mlp_i12_65535_65535_65535, more than ",
        ),
    ] {
        std::fs::write(&path, edit(&whole, from, to)).unwrap();
        let error = refused(&path).to_string();
        assert!(error.starts_with(expected), "{to}: {error}");
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
        let path = folder.path().join("encoder.safetensors");
        embedder("mlp_i12_8").save(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[(at * header as f64) as usize] = byte;
        if let Some(cut) = cut {
            bytes.truncate((cut * bytes.len() as f64) as usize);
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(opened) = Embedder::open(&path, &Device::flex()) {
            prop_assert_eq!(opened.embed_image(&picture()).unwrap().size(), 8);
        }
    }
}
