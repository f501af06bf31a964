//! Weights of other tools: taken from a file, and written for them.

use std::path::Path;

use simclr::burn::tensor::Device;
use simclr::model::{EncoderConfig, ImageEncoder, Naming, save_weights};

use crate::published::publish;
use crate::support::{TINY, failure, json, simclr, success, write_photos};

const ENCODER: [&str; 3] =
    ["--encoder=resnet18x0.0625_cifar", "--image-size=16", "--normalize=cifar10"];

fn encoder(name: &str, seed: u64) -> ImageEncoder {
    name.parse::<EncoderConfig>().unwrap().init(seed, &Device::flex()).unwrap()
}

/// What a command that works prints on the standard error.
fn messages(folder: &Path, arguments: &[&str]) -> String {
    let output = simclr(folder, arguments);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {messages}");
    messages
}

#[test]
fn an_encoder_is_exported_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    success(here, &[&["pretrain", "--data=photos", "--out=run"], &TINY[..]].concat());
    success(here, &["embed", "--run=run", "--data=photos", "--out=run.npy"]);

    let export = ["export", "--run=run", "--to=torchvision", "--out=resnet.safetensors"];
    let exported = json(here, &export);
    assert_eq!(exported["encoder"], "resnet18x0.0625_cifar");
    assert_eq!(exported["feature_size"], 32);
    let embed = ["embed", "--weights=resnet.safetensors", "--data=photos", "--out=exported.npy"];
    let taken = messages(here, &[&embed[..], &ENCODER].concat());
    let expected = "resnet.safetensors: 100 tensors with torchvision's names\n";
    assert!(taken.contains(expected), "{taken}");
    let vectors = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(vectors("run.npy") == vectors("exported.npy"), "other vectors");

    let begins = ["pretrain", "--data=photos", "--weights=resnet.safetensors"];
    let taken = messages(here, &[&begins[..], &["--out=second"], &TINY[..]].concat());
    assert!(taken.contains(expected), "{taken}");
    let config = std::fs::read_to_string(here.join("second/config.toml")).unwrap();
    assert!(config.contains("[made_with.weights]\npath = "), "{config}");
    let elsewhere = ["--prefix=teacher", "--out=third"];
    let (code, error) = failure(here, &[&begins[..], &elsewhere, &TINY[..]].concat());
    assert_eq!((code, here.join("third").exists()), (4, false), "{error}");

    let (code, error) = failure(here, &["export", "--run=run", "--to=timm", "--out=resnet.pth"]);
    assert_eq!(code, 2, "{error}");
    assert!(!here.join("resnet.pth").exists());
}

/// From a library's names to ours and back: what the library publishes comes out again, to the byte.
#[test]
fn every_family_comes_from_each_library_that_has_it_and_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (torchvision, timm) = ("torchvision", "timm");
    for (name, size, libraries) in [
        ("resnet18x0.0625_cifar", 16, &[torchvision, timm][..]),
        ("resnet50x0.0625", 32, &[torchvision, timm]),
        ("resnet18dx0.0625", 32, &[timm]),
        ("resnet50dx0.0625", 32, &[timm]),
        ("efficientnet_b0", 32, &[torchvision, timm]),
        ("efficientnet_b0_tf", 32, &[timm, "efficientnet-pytorch"]),
        ("convnext_tiny", 32, &[torchvision, timm]),
        ("vit_tiny_p8_i16", 16, &[torchvision, timm]),
        ("vit_tiny_p8_dinov2_i16", 16, &[timm]),
        ("vit_tiny_p8_reg4_dinov2_i16", 16, &[timm]),
        ("vit_tiny_p8_dinov3_i16", 16, &[timm]),
        ("vit_tiny_p8_dinov3_qkvb_i16", 16, &[timm]),
        ("mlp_i8_16_8", 8, &[torchvision]),
        ("mlp_i8_16_8_nonorm", 8, &[torchvision]),
    ] {
        for library in [torchvision, timm, "efficientnet-pytorch"] {
            let size = format!("--image-size={size}");
            let encoder = format!("--encoder={name}");
            let (to, out) = (format!("--to={library}"), "--out=out.safetensors");
            let export = ["export", &encoder, &size, &to, out];
            if libraries.contains(&library) {
                publish(here, "published.safetensors", name, naming(library));
                success(here, &[&export[..], &["--weights=published.safetensors"]].concat());
                let bytes = |file: &str| std::fs::read(here.join(file)).unwrap();
                let same = bytes("out.safetensors") == bytes("published.safetensors");
                assert!(same, "{name} comes back from {library} with other weights");
            } else {
                let other = naming(libraries[0]);
                publish(here, "published.safetensors", name, other);
                let weights = ["--weights=published.safetensors"];
                let (code, error) = failure(here, &[&export[..], &weights].concat());
                assert_eq!(code, 4, "{name} to {library}: {error}");
                assert!(!here.join("out.safetensors").exists(), "{name} to {library}");
            }
            let _ = std::fs::remove_file(here.join("out.safetensors"));
        }
    }
}

fn naming(library: &str) -> Naming {
    match library {
        "torchvision" => Naming::Torchvision,
        "timm" => Naming::Timm,
        _ => Naming::EfficientNetPytorch,
    }
}

#[test]
fn a_network_that_the_library_lacks_is_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    save_weights(&encoder("mlp_i16_8", 1), here.join("mlp.safetensors")).unwrap();
    let export = ["export", "--weights=mlp.safetensors", "--encoder=mlp_i16_8", "--image-size=16"];
    let to = ["--to=timm", "--out=timm.safetensors"];
    let (code, error) = failure(here, &[&export[..], &to].concat());
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("for which timm has no name"), "{error}");
    assert!(!here.join("timm.safetensors").exists());
}

#[test]
fn an_encoder_that_is_in_a_file_twice_is_chosen_by_its_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let name = "resnet18x0.0625_cifar";
    save_weights(&[encoder(name, 1), encoder(name, 2)], here.join("two.safetensors")).unwrap();
    save_weights(&encoder(name, 2), here.join("one.safetensors")).unwrap();
    let embed = |arguments: &[&'static str]| -> Vec<&'static str> {
        [&["embed", "--data=photos"], &ENCODER[..], arguments].concat()
    };
    let (code, error) = failure(here, &embed(&["--weights=two.safetensors", "--out=v.npy"]));
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("found 2: `0.`, `1.`"), "{error}");
    assert!(error.contains("hint: choose one of these prefixes with --prefix"), "{error}");

    let chosen = ["--weights=two.safetensors", "--prefix=1", "--out=two.npy"];
    let taken = messages(here, &embed(&chosen));
    assert!(taken.contains("100 tensors with simclr's names below `1.`\n"), "{taken}");
    success(here, &embed(&["--weights=one.safetensors", "--out=one.npy"]));
    let vectors = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(vectors("two.npy") == vectors("one.npy"), "other vectors");
}

#[test]
fn an_encoder_and_its_classifier_are_exported_as_onnx() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    success(here, &[&["pretrain", "--data=photos", "--out=run"], &TINY[..]].concat());
    success(here, &["eval", "linear", "--run=run", "--data=photos", "--save=c.safetensors"]);

    let export = |arguments: &[&'static str]| {
        [&["export", "--to=onnx", "--with-preprocessing"], arguments].concat()
    };
    let encoder = json(here, &export(&["--run=run", "--out=encoder.onnx"]));
    assert_eq!(encoder["with_preprocessing"], true);
    assert_eq!((&encoder["image_size"], &encoder["feature_size"]), (&16.into(), &32.into()));
    let both = ["--run=run", "--classifier=c.safetensors", "--out=both.onnx"];
    let classes = json(here, &export(&both))["classes"].clone();
    assert_eq!(classes, serde_json::json!(["dots", "stripes"]));
    success(here, &export(&["--classifier=c.safetensors", "--out=alone.onnx"]));
    let bytes = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(bytes("both.onnx") == bytes("alone.onnx"), "a classifier brings its own encoder");
    assert!(bytes("both.onnx").len() > bytes("encoder.onnx").len());
    success(here, &export(&["--run=run", "--half", "--out=half.onnx"]));
    assert!(bytes("half.onnx").len() * 10 < bytes("encoder.onnx").len() * 6);

    let other = ["pretrain", "--data=photos", "--out=other", "--seed=9"];
    success(here, &[&other[..], &TINY[..4]].concat());
    let other = export(&["--run=other", "--classifier=c.safetensors", "--out=other.onnx"]);
    let (code, error) = failure(here, &other);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("found one with other weights"), "{error}");
    for (wrong, expected) in [
        (export(&["--run=run", "--out=encoder.pb"]), "expected --out to end in .onnx"),
        (export(&["--out=nothing.onnx"]), "--run <RUN>"),
        (
            vec!["export", "--to=timm", "--half", "--run=run", "--out=a.safetensors"],
            "with --to onnx alone",
        ),
        (
            vec!["export", "--to=timm", "--classifier=c.safetensors", "--out=a.safetensors"],
            "with --to onnx alone",
        ),
    ] {
        let (code, error) = failure(here, &wrong);
        assert_eq!(code, 2, "{wrong:?}: {error}");
        assert!(error.contains(expected), "{wrong:?}: {error}");
    }
}
