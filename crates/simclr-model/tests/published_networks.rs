//! Our networks beside torchvision's and timm's: the same weights, the same images, the same numbers.
//!
//! `golden/generate.py` says what is computed; both sides know weights and images by the same formula. The weights go
//! through a file with the library's names, so that reading, names and layouts are part of the proof.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, Naming, PublishedNames, WeightFile,
    save_published_weights,
};

mod support;

use support::{formula_weights, uniform, write_safetensors};

const IMAGES: usize = 6;
const IMAGE_STREAM: u64 = 1 << 25;
const SIGNAL_STREAM: u64 = 1 << 26;

/// A tensor's product with a signal, and its length.
type Summary = [f64; 2];

#[derive(Deserialize)]
struct Golden {
    name: String,
    library: String,
    image_size: usize,
    /// Of every tensor in the library's state dict.
    shapes: BTreeMap<String, Vec<usize>>,
    /// The first features of the first image.
    features: Vec<f64>,
    all_features: Summary,
    /// In training mode.
    training_features: Summary,
    gradients: BTreeMap<String, Summary>,
    /// Running means and variances after the step.
    statistics: BTreeMap<String, Summary>,
}

fn goldens(family: &str) -> Vec<Golden> {
    let all: Vec<Golden> = serde_json::from_str(include_str!("golden/networks.json")).unwrap();
    let of_family: Vec<Golden> =
        all.into_iter().filter(|golden| golden.name.starts_with(family)).collect();
    assert!(!of_family.is_empty(), "no golden values of {family}");
    of_family
}

fn signal(count: usize) -> Vec<f64> {
    uniform(SIGNAL_STREAM, count)
}

fn summary(values: &[f64]) -> Summary {
    let product = values.iter().zip(signal(values.len())).map(|(value, u)| value * u).sum();
    [product, values.iter().map(|value| value * value).sum::<f64>().sqrt()]
}

/// Both numbers are within `tolerance` of the length, or of `least` if that is more.
fn assert_close(what: &str, found: Summary, expected: Summary, tolerance: f64, least: f64) {
    for (found, of) in found.iter().zip(expected) {
        let apart = (found - of).abs() / expected[1].max(least);
        assert!(apart < tolerance, "{what}: expected {expected:?}, found {found}: {apart:.1e}");
    }
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data_as::<f64>().iter::<f64>().collect()
}

impl Golden {
    fn naming(&self) -> Naming {
        match self.library.as_str() {
            "torchvision" => Naming::Torchvision,
            "timm" => Naming::Timm,
            other => panic!("an unknown library, {other}"),
        }
    }

    /// The encoder with the formula's weights, by way of a file.
    fn encoder(&self, device: &Device) -> ImageEncoder {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let tensors = self
            .shapes
            .iter()
            .map(|(name, shape)| (name.clone(), shape.clone(), formula_weights(name, shape)));
        write_safetensors(&path, tensors);
        let config: EncoderConfig = self.name.parse().unwrap();
        let (encoder, report) =
            WeightFile::open(&path).unwrap().load(config.init(0, device).unwrap()).unwrap();
        let counters = self.shapes.keys().filter(|name| name.ends_with("num_batches_tracked"));
        assert_eq!(report.loaded, self.shapes.len() - counters.count());
        encoder
    }

    fn images(&self, device: &Device) -> Tensor<4> {
        let size = self.image_size;
        let values = uniform(IMAGE_STREAM + size as u64, IMAGES * 3 * size * size);
        let values: Vec<f32> = values.iter().map(|u| (2.0 * u) as f32).collect();
        Tensor::from_data(TensorData::new(values, [IMAGES, 3, size, size]), device)
    }

    fn check_outputs(&self) {
        let device = Device::flex();
        let features = numbers(&self.encoder(&device).encode(self.images(&device)));
        let largest = self.features.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        for (index, (found, expected)) in features.iter().zip(&self.features).enumerate() {
            let apart = (found - expected).abs() / largest;
            assert!(apart < 1e-4, "{} {index}: expected {expected}, found {found}", self.name);
        }
        assert_close(&self.name, summary(&features), self.all_features, 1e-4, 0.0);
    }

    fn check_training_step(&self) {
        let device = Device::flex().autodiff();
        let encoder = self.encoder(&device);
        let h = encoder.encode(self.images(&device));
        assert_close(&self.name, summary(&numbers(&h)), self.training_features, 1e-3, 0.0);
        let weights: Vec<f32> =
            signal(h.shape().num_elements()).iter().map(|&u| u as f32).collect();
        let weights = Tensor::<2>::from_data(TensorData::new(weights, h.shape()), &device);
        let gradients = (h * weights).sum().backward();
        let mut found = Trained {
            naming: self.naming(),
            encoder: &encoder,
            gradients: &gradients,
            path: Vec::new(),
            of_gradients: BTreeMap::new(),
            of_statistics: BTreeMap::new(),
        };
        encoder.visit(&mut found);
        // A normalisation swallows shifts before it, whose gradients are nothing but rounding.
        let longest = self.gradients.values().fold(0.0_f64, |longest, g| longest.max(g[1]));
        let least = 1e-2 * longest;
        check_all(&self.name, &found.of_gradients, &self.gradients, least);
        // What threads have added up is only brought together here.
        encoder.valid().visit(&mut found);
        check_all(&self.name, &found.of_statistics, &self.statistics, 0.0);
    }

    fn check_round_trip(&self) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        save_published_weights(&self.encoder(&Device::flex()), self.naming(), &path).unwrap();
        let file = WeightFile::open(&path).unwrap();
        let found: BTreeMap<String, Vec<usize>> =
            file.tensors().map(|(name, shape)| (name.to_owned(), shape.to_owned())).collect();
        assert_eq!(found, self.shapes, "{}", self.name);
        let again = self.name.parse::<EncoderConfig>().unwrap().init(1, &Device::flex()).unwrap();
        let (again, _) = file.load(again).unwrap();
        let images = self.images(&Device::flex());
        let expected = self.encoder(&Device::flex()).encode(images.clone()).into_data();
        again.encode(images).into_data().assert_eq(&expected, true);
    }
}

/// Gradients and statistics by the library's names, in its layout.
struct Trained<'a> {
    naming: Naming,
    encoder: &'a ImageEncoder,
    gradients: &'a burn::tensor::Gradients,
    path: Vec<String>,
    of_gradients: BTreeMap<String, Summary>,
    of_statistics: BTreeMap<String, Summary>,
}

impl ModuleVisitor for Trained<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let name = self.encoder.published_name(&path, self.naming).expect("a published name");
        if name.contains("running_") {
            self.of_statistics.insert(name, summary(&numbers(&param.val())));
            return;
        }
        if !param.is_require_grad() {
            return;
        }
        let gradient = param.val().grad(self.gradients).expect("every parameter has a gradient");
        // PyTorch holds the matrices of linear layers transposed.
        let gradient = if D == 2 { gradient.swap_dims(0, 1) } else { gradient };
        self.of_gradients.insert(name, summary(&numbers(&gradient)));
    }
}

/// Every tensor is within 1e-3 of its length, or of `least`.
fn check_all(
    network: &str,
    found: &BTreeMap<String, Summary>,
    expected: &BTreeMap<String, Summary>,
    least: f64,
) {
    assert_eq!(found.len(), expected.len(), "{network}");
    for (name, &expected) in expected {
        let what = format!("{network} {name}");
        assert_close(&what, *found.get(name).expect(&what), expected, 1e-3, least);
    }
}

/// A family's outputs, training step and way to a file and back.
fn check(family: &str) {
    for golden in goldens(family) {
        golden.check_outputs();
        golden.check_round_trip();
        golden.check_training_step();
    }
}

#[test]
fn resnets_compute_what_torchvisions_do() {
    check("resnet");
}

#[test]
fn efficient_nets_compute_what_torchvisions_and_timms_do() {
    check("efficientnet");
}

#[test]
fn vision_transformers_compute_what_torchvisions_and_timms_do() {
    check("vit");
}

#[test]
fn mlps_compute_what_torchvisions_do() {
    check("mlp");
}

/// Full-size networks with PyTorch's own weights, which are too large to keep: `generate.py --full DIR` writes them,
/// and `SIMCLR_FULL_SIZE=DIR cargo test --release --workspace --test published_networks -- --ignored` compares.
#[test]
#[ignore = "needs the files of `generate.py --full`"]
fn full_size_networks_compute_what_torchvisions_and_timms_do() {
    #[derive(Deserialize)]
    struct Full {
        image_size: usize,
        features: Vec<f64>,
    }
    let folder = std::env::var("SIMCLR_FULL_SIZE").expect("SIMCLR_FULL_SIZE names a folder");
    let device = Device::flex();
    for name in [
        "resnet18",
        "resnet50",
        "resnet152",
        "efficientnet_b0",
        "efficientnet_b3",
        "vit_small_p16",
        "vit_base_p16",
    ] {
        let file = |extension: &str| Path::new(&folder).join(format!("{name}.{extension}"));
        let full: Full = serde_json::from_slice(&std::fs::read(file("json")).unwrap()).unwrap();
        let encoder = name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
        let (encoder, report) = WeightFile::open(&file("pth")).unwrap().load(encoder).unwrap();
        println!("{name}: {report}");
        let size = full.image_size;
        let values = uniform(IMAGE_STREAM + size as u64, IMAGES * 3 * size * size);
        let values: Vec<f32> =
            values[..2 * 3 * size * size].iter().map(|u| (2.0 * u) as f32).collect();
        let images = Tensor::from_data(TensorData::new(values, [2, 3, size, size]), &device);
        let found = numbers(&encoder.encode(images));
        assert_eq!(found.len(), full.features.len());
        // A network whose units are all dead agrees with anything.
        let alive = full.features.iter().filter(|feature| **feature != 0.0).count();
        assert!(2 * alive > full.features.len(), "{name}: {alive} features are not zero");
        let largest = full.features.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let mut worst = 0.0_f64;
        for (found, expected) in found.iter().zip(&full.features) {
            let apart = (found - expected).abs() / largest;
            // Not folded first: a maximum passes over what is not a number.
            assert!(apart < 1e-4, "{name}: expected {expected}, found {found}");
            worst = worst.max(apart);
        }
        println!(
            "{name}: {worst:.1e} of the largest feature apart, {alive} of {} not zero",
            found.len()
        );
        let saved = file("ours.safetensors");
        save_published_weights(&encoder, report.naming, &saved).unwrap();
    }
}
