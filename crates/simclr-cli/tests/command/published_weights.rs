//! From published weights to a classifier of one's own classes: the way that `docs/from-published-weights.md` goes.

use std::path::Path;

use serde_json::Value;
use simclr::model::Naming;

use crate::published::{publish, stripes, write_stl10};
use crate::support::{failure, json, simclr, success};

const NAMES: [&str; 10] =
    ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

#[test]
fn published_weights_learn_from_unlabelled_images_and_become_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_stl10(here, "stl10");
    publish(here, "efficientnet_b0.safetensors", "efficientnet_b0", Naming::Torchvision);

    let begins = ["--weights=efficientnet_b0.safetensors", "--encoder=efficientnet_b0"];
    let small = ["--data=stl10", "--image-size=32", "--batch-size=12", "--epochs=1"];
    let pretrain = [&["pretrain", "--out=run"], &begins[..], &small].concat();
    let output = simclr(here, &pretrain);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("normalisation: imagenet (the weights' own"), "{said}");
    assert!(said.contains("with torchvision's names"), "{said}");
    let config = std::fs::read_to_string(here.join("run/config.toml")).unwrap();
    assert!(config.contains("mean = [0.485, 0.456, 0.406]"), "{config}");

    let run = ["--run=run", "--data=stl10"];
    let linear = ["eval", "linear", "--save=frozen.safetensors"];
    let frozen = json(here, &[&linear[..], &run].concat());
    assert_eq!(frozen["report"]["evaluated"]["test_images"], 10, "{frozen}");
    let finetune = ["eval", "finetune", "--epochs=1", "--save=tuned.safetensors"];
    success(here, &[&finetune[..], &run].concat());
    for classifier in ["--classifier=frozen.safetensors", "--classifier=tuned.safetensors"] {
        let found = json(here, &["classify", classifier, "photo.png"]);
        let class = found["images"][0]["class"].as_str().unwrap();
        assert!(NAMES.contains(&class), "{found}");
    }
}

/// The normalisation of a plan's views.
fn planned(folder: &Path, arguments: &[&str]) -> Value {
    let plan = json(folder, &[&["pretrain", "--dry-run", "--images=20"], arguments].concat());
    plan["config"]["images"]["augmentation"]["normalization"]["mean"][0].clone()
}

#[test]
fn weights_bring_their_normalisation_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let small = ["--encoder=resnet18x0.0625_cifar", "--image-size=16", "--batch-size=8"];
    publish(here, "published.safetensors", "resnet18x0.0625_cifar", Naming::Torchvision);
    let mean = |arguments: &[&str]| {
        let mean = planned(here, &[&small[..], arguments].concat()).as_f64().unwrap();
        format!("{mean:.4}")
    };
    let published = "--weights=published.safetensors";
    assert_eq!(mean(&[]), "0.5000", "the sample is centred");
    assert_eq!(mean(&[published]), "0.4850");
    assert_eq!(mean(&[published, "--recipe=stl10-uva"]), "0.4850", "no recipe knows the weights");
    assert_eq!(mean(&[published, "--normalize=none"]), "0.0000");
    assert_eq!(mean(&[published, "--set=augmentation.normalization=stl10"]), "0.5000");
    assert_eq!(
        mean(&[published, "--set=augmentation.normalization.mean=[0.1, 0.1, 0.1]"]),
        "0.1000"
    );
    std::fs::write(here.join("told.toml"), "[augmentation]\nnormalization = \"centred\"\n")
        .unwrap();
    assert_eq!(mean(&[published, "--config=told.toml"]), "0.5000");
    assert_eq!(mean(&[published, "--config=told.toml", "--normalize=imagenet"]), "0.4850");

    // A run's own weights say theirs.
    let own = ["pretrain", "--images=20", "--epochs=1", "--normalize=none", "--out=run"];
    success(here, &[&own[..], &small].concat());
    let config = std::fs::read_to_string(here.join("run/config.toml")).unwrap();
    assert!(config.contains("mean = [0.0, 0.0, 0.0]"), "{config}");
    let own = "--weights=run/encoder.safetensors";
    assert_eq!(mean(&[own]), "0.0000");
    assert_eq!(mean(&[own, "--normalize=cifar10"]), "0.4914");
}

#[test]
fn an_encoder_is_evaluated_with_the_normalisation_that_its_weights_bring() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let name = "resnet18x0.0625_cifar";
    publish(here, "published.safetensors", name, Naming::Torchvision);
    std::fs::create_dir(here.join("photos")).unwrap();
    stripes(3, 7).save(here.join("photos/a.png")).unwrap();
    let embed = |out: &str, more: &[&str]| {
        let (encoder, out) = (format!("--encoder={name}"), format!("--out={out}.npy"));
        let common: [&str; 5] = ["embed", "--data=photos", "--image-size=16", &encoder, &out];
        let output = simclr(here, &[&common[..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let vectors = std::fs::read(here.join(&out["--out=".len()..])).unwrap();
        (vectors, String::from_utf8(output.stderr).unwrap())
    };
    let published = "--weights=published.safetensors";
    let (by_default, said) = embed("default", &[published]);
    assert!(said.contains("normalisation: imagenet (the weights' own"), "{said}");
    let (told, said) = embed("told", &[published, "--normalize=imagenet"]);
    assert!(said.contains("normalisation: imagenet (as asked for)"), "{said}");
    assert!(by_default == told, "other vectors");
    let (other, _) = embed("other", &[published, "--normalize=none"]);
    assert!(by_default != other, "the same vectors");

    for command in ["embed", "pretrain"] {
        let unknown = [command, "--data=photos", "--out=v", "--normalize=imagnet"];
        let (code, error) = failure(here, &unknown);
        assert_eq!(code, 2, "{error}");
        let expected =
            "expected normalization to be one of imagenet, cifar10, centred, none, stl10";
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn weights_of_efficientnet_pytorch_go_in_and_out_and_only_into_the_network_they_are_for() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (weights, name) = ("--weights=lukemelas.safetensors", "efficientnet_b0_tf");
    publish(here, "lukemelas.safetensors", name, Naming::EfficientNetPytorch);
    let export = ["export", weights, "--image-size=32", "--to=efficientnet-pytorch"];
    let out = ["--out=again.safetensors", "--encoder=efficientnet_b0_tf"];
    success(here, &[&export[..], &out].concat());
    let bytes = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(bytes("again.safetensors") == bytes("lukemelas.safetensors"), "other weights");
    let out = ["--out=plain.safetensors", "--encoder=efficientnet_b0"];
    let (code, error) = failure(here, &[&export[..], &out].concat());
    assert_eq!((code, here.join("plain.safetensors").exists()), (4, false), "{error}");
    assert!(error.contains("expected the encoder `efficientnet_b0_tf`"), "{error}");
}
