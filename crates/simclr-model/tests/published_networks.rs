//! Our networks beside those of torchvision, timm and `efficientnet_pytorch`: the same weights, the same images, the same numbers.
//!
//! `golden/generate.py` computes the expected values; both sides make weights and images by the same formula. The weights
//! go through a file with the library's names, so that reading, names and layouts are tested, too.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::Deserialize;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, ModuleTensor, Naming, PublishedNames, TensorRole,
    WeightError, WeightFile, module_tensors, save_published_weights,
};

mod support;

use support::{formula_weights, uniform, write_safetensors};

const IMAGES: usize = 6;
const IMAGE_STREAM: u64 = 1 << 25;
const SIGNAL_STREAM: u64 = 1 << 26;

/// A tensor's product with the signal, and its length.
type Summary = [f64; 2];

#[derive(Deserialize)]
struct Golden {
    name: String,
    library: String,
    image_size: usize,
    /// The shape of every tensor in the library's state dict.
    shapes: BTreeMap<String, Vec<usize>>,
    /// The first features of the first image.
    features: Vec<f64>,
    all_features: Summary,
    /// In training mode.
    #[serde(default)]
    training_features: Summary,
    #[serde(default)]
    gradients: BTreeMap<String, Summary>,
    /// Running means and variances after the step.
    #[serde(default)]
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

/// Checks that both numbers differ by less than `tolerance` times the length, or times `least` if that is more.
fn assert_close(what: &str, found: Summary, expected: Summary, tolerance: f64, least: f64) {
    for (found, number) in found.iter().zip(expected) {
        let apart = (found - number).abs() / expected[1].max(least);
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
            "efficientnet_pytorch" => Naming::EfficientNetPytorch,
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
        // A normalisation cancels the shifts before it: their gradients are nothing but rounding.
        let longest = self.gradients.values().fold(0.0_f64, |longest, g| longest.max(g[1]));
        let least = 1e-2 * longest;
        let found = self.gradients_of(&encoder, &gradients);
        check_all(&self.name, &found, &self.gradients, least);
        check_all(&self.name, &self.statistics_of(&encoder), &self.statistics, 0.0);
    }

    /// The names that a tensor's parts have in the library.
    fn published_parts(
        &self,
        encoder: &ImageEncoder,
        tensor: &ModuleTensor,
    ) -> Vec<Option<String>> {
        let path: Vec<&str> = tensor.path.iter().map(String::as_str).collect();
        encoder.published_parts(&path, self.naming()).expect("published names")
    }

    /// The gradients by the library's names, in its layout.
    fn gradients_of(
        &self,
        encoder: &ImageEncoder,
        gradients: &Gradients,
    ) -> BTreeMap<String, Summary> {
        let trained = module_tensors(encoder).into_iter().filter(ModuleTensor::requires_grad);
        let summaries = trained.flat_map(|tensor| {
            let gradient = tensor.gradient(gradients).expect("every parameter has a gradient");
            let gradient = match (tensor.role, tensor.shape.as_slice()) {
                // PyTorch holds the matrices of linear layers transposed.
                (TensorRole::Matrix, &[inputs, outputs]) => {
                    numbers(&gradient.reshape([inputs, outputs]).swap_dims(0, 1))
                }
                _ => numbers(&gradient),
            };
            let parts = self.published_parts(encoder, &tensor);
            let values: Vec<Vec<f64>> =
                gradient.chunks(gradient.len() / parts.len()).map(<[f64]>::to_vec).collect();
            let named = parts.into_iter().zip(values).filter_map(|(name, values)| {
                // A part that the library lacks has no effect.
                assert!(name.is_some() || values.iter().all(|&value| value == 0.0));
                Some((name?, summary(&values)))
            });
            named.collect::<Vec<_>>()
        });
        summaries.collect()
    }

    /// The running statistics by the library's names.
    fn statistics_of(&self, encoder: &ImageEncoder) -> BTreeMap<String, Summary> {
        // `valid` brings the statistics of all threads together.
        let tensors = module_tensors(&encoder.valid()).into_iter();
        let statistics = tensors.filter(|tensor| tensor.role == TensorRole::Statistic);
        let summaries = statistics.map(|tensor| {
            let name = self.published_parts(encoder, &tensor).remove(0).expect("a published name");
            (name, summary(&numbers(&tensor.values())))
        });
        summaries.collect()
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

/// Checks that every tensor is within 1e-3 of its length, or of `least` if that is more.
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

/// Checks a family's outputs, training steps, and round trips through a file.
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
fn efficient_nets_compute_what_those_of_each_library_do() {
    check("efficientnet");
}

#[test]
fn weights_of_a_network_that_pads_otherwise_are_refused_in_and_out() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let build = |name: &str| name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
    for (library, name, other) in [
        (Naming::EfficientNetPytorch, "efficientnet_b0_tf", "efficientnet_b0"),
        (Naming::Torchvision, "efficientnet_b0", "efficientnet_b0_tf"),
    ] {
        save_published_weights(&build(name), library, &path).unwrap();
        let expected = format!(
            "expected the encoder `{name}`, which computes what {library}'s does, found one that would give other \
             features with the same weights"
        );
        let reason = |error: WeightError| std::error::Error::source(&error).unwrap().to_string();
        let error = WeightFile::open(&path).unwrap().load(build(other)).unwrap_err();
        assert_eq!(reason(error), expected);
        let error = WeightFile::open(&path).unwrap().load_matching(build(other)).unwrap_err();
        assert_eq!(reason(error), expected);
        let before = std::fs::read(&path).unwrap();
        let error = save_published_weights(&build(other), library, &path).unwrap_err();
        assert_eq!(reason(error), expected);
        assert!(std::fs::read(&path).unwrap() == before, "an older file is untouched");
        WeightFile::open(&path).unwrap().load(build(name)).unwrap();
    }
}

#[test]
fn every_size_has_the_names_of_efficientnet_pytorch_and_no_other_size_takes_them() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let nets = ["b0", "b1", "b2", "b3"].map(|size| format!("efficientnet_{size}_tf"));
    let build = |name: &str| name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
    for (at, name) in nets.iter().enumerate() {
        save_published_weights(&build(name), Naming::EfficientNetPytorch, &path).unwrap();
        let (_, report) = WeightFile::open(&path).unwrap().load(build(name)).unwrap();
        assert_eq!(report.naming, Naming::EfficientNetPytorch);
        let other = &nets[(at + 1) % nets.len()];
        assert!(WeightFile::open(&path).unwrap().load(build(other)).is_err(), "{name}, {other}");
    }
}

#[test]
fn vision_transformers_compute_what_torchvisions_and_timms_do() {
    check("vit");
}

#[test]
fn conv_nexts_compute_what_torchvisions_and_timms_do() {
    check("convnext");
}

/// The network of a file for images of 24 pixels, its positions resampled for those of 32.
#[test]
fn vision_transformers_for_another_image_size_compute_what_timms_do() {
    #[derive(Deserialize)]
    struct Resampled {
        #[serde(flatten)]
        golden: Golden,
        /// Of every patch of every image.
        patches: Summary,
    }
    let all = include_str!("golden/resampled_positions.json");
    for Resampled { golden, patches } in serde_json::from_str::<Vec<Resampled>>(all).unwrap() {
        golden.check_outputs();
        let device = Device::flex();
        let encoder = golden.encoder(&device);
        let found = encoder.patch_features(golden.images(&device)).unwrap();
        assert_close(&golden.name, summary(&numbers(&found)), patches, 1e-4, 0.0);
    }
}

/// facebookresearch's files keep a position for the class token, which timm's converter adds to the token.
#[test]
fn a_dinov2_with_registers_loads_from_the_names_of_its_authors_and_is_written_with_them() {
    let golden = goldens("vit_tiny_p8_reg4").remove(0);
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let position = uniform(7, 192);
    let tensors = golden.shapes.iter().map(|(name, shape)| {
        let mut values = formula_weights(name, shape);
        let (mut name, mut shape) = (name.clone(), shape.clone());
        match name.as_str() {
            "reg_token" => name = "register_tokens".to_owned(),
            "cls_token" => values.iter_mut().zip(&position).for_each(|(x, p)| *x -= *p as f32),
            "pos_embed" => {
                values.splice(..0, position.iter().map(|&p| p as f32));
                shape[1] += 1;
            }
            _ => {}
        }
        (name, shape, values)
    });
    write_safetensors(
        &path,
        tensors.chain([("mask_token".to_owned(), vec![1, 192], vec![0.5; 192])]),
    );
    let build = |name: &str| name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
    let (encoder, report) = WeightFile::open(&path).unwrap().load(build(&golden.name)).unwrap();
    assert_eq!((report.naming, report.left_over), (Naming::DinoV2, vec!["mask_token".to_owned()]));
    let expected = numbers(&golden.encoder(&device).encode(golden.images(&device)));
    let same = |encoder: &ImageEncoder| {
        let found = numbers(&encoder.encode(golden.images(&device)));
        let most =
            found.iter().zip(&expected).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        assert!(most < 1e-5, "{most}");
    };
    same(&encoder);
    // Without registers, the same names and shapes would give other features.
    let error = WeightFile::open(&path).unwrap().load(build("vit_tiny_p8_dinov2_i24")).unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("of a larger network: 1 (register_tokens"), "{reason}");
    // Positions for another number of patches, with that of the class token.
    let (_, report) =
        WeightFile::open(&path).unwrap().load(build("vit_tiny_p8_reg4_dinov2_i32")).unwrap();
    assert_eq!(report.resampled, Some([3, 4]));

    save_published_weights(&encoder, Naming::DinoV2, &path).unwrap();
    let (again, report) = WeightFile::open(&path).unwrap().load(build(&golden.name)).unwrap();
    assert_eq!((report.naming, report.left_over), (Naming::DinoV2, vec![]));
    same(&again);
    // The network without registers has timm's names there, too.
    let plain = build("vit_tiny_p8_dinov2_i24");
    assert!(save_published_weights(&plain, Naming::DinoV2, &path).is_err());
}

#[test]
fn what_lies_beside_an_encoder_in_a_published_file_is_left_over() {
    let beside = [
        ("convnext", "torchvision", &["classifier.2.weight", "classifier.2.bias"][..]),
        ("convnext", "timm", &["head.fc.bias", "head.fc.weight"]),
        // Meta's own file of a DINOv2 has timm's names, and a token that was masked in training.
        ("vit_tiny_p8_dinov2", "timm", &["mask_token"]),
        ("resnet50d", "timm", &["fc.bias", "fc.weight"]),
    ];
    for (family, library, names) in beside {
        let golden = goldens(family).into_iter().find(|golden| golden.library == library).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let shapes = golden.shapes.iter().map(|(name, shape)| (name.clone(), shape.clone()));
        let shapes = shapes.chain(names.iter().map(|name| ((*name).to_owned(), vec![2, 3])));
        let tensors = shapes.map(|(name, shape)| {
            let values = formula_weights(&name, &shape);
            (name, shape, values)
        });
        write_safetensors(&path, tensors);
        let encoder = golden.name.parse::<EncoderConfig>().unwrap();
        let encoder = encoder.init(0, &Device::flex()).unwrap();
        let (_, report) = WeightFile::open(&path).unwrap().load(encoder).unwrap();
        let mut names = names.to_vec();
        names.sort_unstable();
        assert_eq!(report.left_over, names, "{}", golden.name);
    }
}

#[test]
fn mlps_compute_what_torchvisions_do() {
    check("mlp");
}

/// Full-size networks with PyTorch's own weights, which are too large to keep: `generate.py --full DIR` writes them,
/// and `SIMCLR_FULL_SIZE=DIR cargo test --release --workspace --test published_networks -- --ignored` compares those of them
/// that are there.
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
    let mut compared = 0;
    for name in [
        "resnet18",
        "resnet50",
        "resnet50d",
        "resnet152",
        "efficientnet_b0",
        "efficientnet_b3",
        "efficientnet_b1_tf",
        "efficientnet_b2_tf",
        "vit_small_p16",
        "vit_base_p16",
        "vit_base_p14_dinov2",
        "vit_small_p14_reg4_dinov2",
        "vit_base_p16_dinov3_i256",
        "convnext_tiny",
        "convnext_base",
    ] {
        let file = |extension: &str| Path::new(&folder).join(format!("{name}.{extension}"));
        if !file("json").exists() {
            println!("{name}: not there");
            continue;
        }
        compared += 1;
        let full: Full = serde_json::from_slice(&std::fs::read(file("json")).unwrap()).unwrap();
        let encoder = name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
        let (encoder, report) = WeightFile::open(file("pth")).unwrap().load(encoder).unwrap();
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
            // One by one: a maximum passes over NaN.
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
    assert!(compared > 0, "expected files of `generate.py --full` in {folder}, found none");
}

/// CLIP's transformers have timm's names and a normalisation before the first block.
#[test]
fn a_transformer_that_normalises_before_its_blocks_is_not_taken_for_one_that_does_not() {
    let golden = goldens("vit_tiny_p8_reg4").remove(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.safetensors");
    let tensors = golden
        .shapes
        .iter()
        .map(|(name, shape)| (name.clone(), shape.clone(), formula_weights(name, shape)));
    let norm = ["norm_pre.weight", "norm_pre.bias"];
    let norm = norm.map(|name| (name.to_owned(), vec![192], vec![1.0; 192]));
    write_safetensors(&path, tensors.chain(norm));
    let encoder = golden.name.parse::<EncoderConfig>().unwrap().init(0, &Device::flex()).unwrap();
    let error = WeightFile::open(&path).unwrap().load(encoder).unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("of a larger network: 2 (norm_pre.bias"), "{reason}");
}
