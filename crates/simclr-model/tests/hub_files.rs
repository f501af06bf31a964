//! Files of vision transformers as they are on the Hugging Face hub, and as facebookresearch publishes a `DINOv3`: read by name,
//! they give the features that the publishers' code gives.
//!
//! `golden/hub.py` computes the expected values; both sides make weights and images by the same formula.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, LoadReport, Naming, WeightError, WeightFile,
    save_published_weights,
};

mod support;

use support::{formula_weights, uniform, write_safetensors};

const IMAGES: usize = 6;
const IMAGE_STREAM: u64 = 1 << 25;
const SIGNAL_STREAM: u64 = 1 << 26;
const BLOCKS: usize = 12;

#[derive(Deserialize)]
struct Golden {
    name: String,
    library: String,
    image_size: usize,
    /// The shapes of the file's tensors, of those in blocks the first block's.
    shapes: BTreeMap<String, Vec<usize>>,
    /// The first features of the first image.
    features: Vec<f64>,
    /// The product with a signal, and the length.
    all_features: [f64; 2],
    /// The same of the features of patches.
    patches: [f64; 2],
}

fn goldens() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden/hub.json")).unwrap()
}

/// The golden case of an encoder in a file with a library's names.
fn golden(name: &str, library: &str) -> Golden {
    let is_it = |golden: &Golden| golden.name == name && golden.library == library;
    goldens().into_iter().find(is_it).expect("a golden case")
}

type Named = (String, Vec<usize>, Vec<f32>);

impl Golden {
    /// What the file holds.
    fn tensors(&self) -> Vec<Named> {
        let mut tensors = Vec::new();
        for (name, shape) in &self.shapes {
            let blocks = if name.contains(".0.") { BLOCKS } else { 1 };
            for block in 0..blocks {
                let name = name.replacen(".0.", &format!(".{block}."), 1);
                let values = values_of(&name, shape);
                tensors.push((name, shape.clone(), values));
            }
        }
        tensors
    }

    fn write(&self, path: &Path) {
        write_safetensors(path, self.tensors());
    }

    fn images(&self) -> Tensor<4> {
        let size = self.image_size;
        let values = uniform(IMAGE_STREAM + size as u64, IMAGES * 3 * size * size);
        let values: Vec<f32> = values.iter().map(|u| (2.0 * u) as f32).collect();
        let data = TensorData::new(values, [IMAGES, 3, size, size]);
        Tensor::from_data(data, &Device::flex())
    }

    fn check(&self, encoder: &ImageEncoder) {
        let features = numbers(encoder.encode(self.images()));
        let largest = self.features.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        for (found, expected) in features.iter().zip(&self.features) {
            let apart = (found - expected).abs() / largest;
            assert!(apart < 1e-4, "{}: expected {expected}, found {found}", self.name);
        }
        assert_close(&self.name, &features, self.all_features);
        let patches = numbers(encoder.patch_features(self.images()).unwrap());
        assert_close(&self.name, &patches, self.patches);
    }
}

/// The formula's values, and where there is nothing to learn the file's own.
fn values_of(name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    if name.ends_with(".bias_mask") {
        let keys = count / 3..2 * count / 3;
        return (0..count).map(|at| if keys.contains(&at) { 0.0 } else { 1.0 }).collect();
    }
    if name == "rope_embed.periods" {
        return (0..count).map(|at| 100_f32.powf(at as f32 / count as f32)).collect();
    }
    formula_weights(name, shape)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn assert_close(what: &str, values: &[f64], expected: [f64; 2]) {
    let signal = uniform(SIGNAL_STREAM, values.len());
    let product: f64 = values.iter().zip(signal).map(|(value, u)| value * u).sum();
    let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    for (found, expected_one) in [product, length].into_iter().zip(expected) {
        let apart = (found - expected_one).abs() / expected[1];
        assert!(apart < 1e-4, "{what}: expected {expected:?}, found {found}: {apart:.1e}");
    }
}

fn build(name: &str) -> ImageEncoder {
    name.parse::<EncoderConfig>().unwrap().init(0, &Device::flex()).unwrap()
}

fn load(path: &Path, name: &str) -> Result<(ImageEncoder, LoadReport), WeightError> {
    WeightFile::open(path).unwrap().load(build(name))
}

fn reason(error: &WeightError) -> String {
    error.source().unwrap().to_string()
}

#[test]
fn files_of_the_hub_and_of_facebookresearch_compute_what_their_publishers_code_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for golden in goldens() {
        golden.write(&path);
        let (encoder, report) = load(&path, &golden.name).unwrap();
        assert_eq!(report.naming.to_string(), golden.library);
        let beside: &[&str] = match (golden.library.as_str(), golden.name.as_str()) {
            ("dinov3", _) => &["mask_token", "rope_embed.periods"],
            (_, "vit_tiny_p8_i24") => &["pooler.dense.bias", "pooler.dense.weight"],
            _ => &["embeddings.mask_token"],
        };
        assert_eq!(report.left_over, beside, "{}", golden.name);
        golden.check(&encoder);
        golden.check(&encoder.valid());
    }
}

#[test]
fn such_files_are_written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for golden in goldens() {
        golden.write(&path);
        let (encoder, report) = load(&path, &golden.name).unwrap();
        save_published_weights(&encoder, report.naming, &path).unwrap();
        let mut written: Vec<String> =
            WeightFile::open(&path).unwrap().tensors().map(|(name, _)| name.to_owned()).collect();
        let unlearnt = ["mask_token", ".bias_mask", "rope_embed.periods"];
        let mut expected: Vec<String> =
            golden.tensors().into_iter().map(|(name, ..)| name).collect();
        expected.retain(|name| !unlearnt.iter().any(|end| name.ends_with(end)));
        expected.retain(|name| !name.starts_with("pooler."));
        written.sort();
        expected.sort();
        assert_eq!(written, expected, "{}", golden.name);
        let (again, _) = load(&path, &golden.name).unwrap();
        golden.check(&again);
    }
}

/// As in `Dinov2ForImageClassification`, and with positions for other images.
#[test]
fn a_classifier_s_file_of_the_hub_has_the_network_below_a_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let golden = golden("vit_tiny_p8_reg4_dinov2_i24", "transformers");
    let prefixed = golden.tensors().into_iter();
    let prefixed = prefixed.map(|(name, shape, values)| (format!("dinov2.{name}"), shape, values));
    let head = ("classifier.weight".to_owned(), vec![2, 384], vec![0.5; 768]);
    write_safetensors(&path, prefixed.chain([head]));
    let (encoder, report) = load(&path, &golden.name).unwrap();
    assert_eq!((report.prefix.as_str(), report.naming), ("dinov2.", Naming::Transformers));
    golden.check(&encoder);
    let (_, report) = load(&path, "vit_tiny_p8_reg4_dinov2_i32").unwrap();
    assert_eq!(report.resampled, Some([3, 4]));
    assert!(report.to_string().contains("with transformers's names below `dinov2.`"), "{report}");
}

#[test]
fn registers_and_biases_that_a_network_lacks_are_not_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    golden("vit_tiny_p8_reg4_dinov2_i24", "transformers").write(&path);
    let error = load(&path, "vit_tiny_p8_dinov2_i24").unwrap_err();
    assert!(
        reason(&error).contains("of a larger network: 1 (embeddings.register_tokens"),
        "{error:?}"
    );

    for library in ["transformers", "dinov3"] {
        golden("vit_tiny_p8_dinov3_qkvb_i40", library).write(&path);
        let expected = format!(
            "expected the encoder `vit_tiny_p8_dinov3_qkvb_i40`, which computes what {library}'s does, found one that would \
             give other features with the same weights"
        );
        let error = load(&path, "vit_tiny_p8_dinov3_i40").unwrap_err();
        assert_eq!(reason(&error), expected);
    }
    save_published_weights(&build("vit_tiny_p8_dinov3_qkvb_i40"), Naming::Timm, &path).unwrap();
    let error = load(&path, "vit_tiny_p8_dinov3_i40").unwrap_err();
    assert!(reason(&error).starts_with("expected the encoder `vit_tiny_p8_dinov3_qkvb_i40`"));
    let bare = build("vit_tiny_p8_dinov3_i40");
    save_published_weights(&bare, Naming::Timm, &path).unwrap();
    let error = load(&path, "vit_tiny_p8_dinov3_qkvb_i40").unwrap_err();
    assert!(reason(&error).contains("missing: 24 (blocks.0.attn.q_bias [192]"), "{error:?}");
    // Files without biases, as that of Meta's largest network: the same names, and the encoder without them.
    for naming in [Naming::DinoV3, Naming::Transformers] {
        save_published_weights(&bare, naming, &path).unwrap();
        let (_, report) = load(&path, "vit_tiny_p8_dinov3_i40").unwrap();
        assert_eq!(report.naming, naming);
    }
}

/// A part that a file lacks leaves the whole parameter as it is.
#[test]
fn what_fits_is_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let golden = golden("vit_tiny_p8_dinov2_i24", "transformers");
    let keys = "encoder.layer.3.attention.attention.key.weight";
    let tensors = golden.tensors().into_iter().filter(|(name, ..)| name != keys);
    write_safetensors(&path, tensors);
    let error = load(&path, &golden.name).unwrap_err();
    assert!(reason(&error).contains(&format!("missing: 1 ({keys} [192, 192])")), "{error:?}");
    let file = WeightFile::open(&path).unwrap();
    let (_, report) = file.load_matching(build(&golden.name)).unwrap();
    assert_eq!(report.missing, [keys]);
    let others = ["query", "value"].map(|part| keys.replace("key", part));
    assert!(others.iter().all(|name| report.left_over.contains(name)), "{report}");
}
