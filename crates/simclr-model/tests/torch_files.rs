//! Files of `torch.save`, friendly and hostile, and hostile safetensors: `golden/torch_files.py` made the whole ones.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, LoadReport, Naming, WeightError, WeightFault, WeightFile,
    load_weights, save_published_weights, save_weights,
};

mod support;

use support::{formula_weights, write_safetensors};

const ZIP: &[u8] = include_bytes!("golden/mlp.pth");
const LEGACY: &[u8] = include_bytes!("golden/mlp_legacy.pth");
const CHECKPOINT: &[u8] = include_bytes!("golden/mlp_checkpoint.pth");
const VIEWS: &[u8] = include_bytes!("golden/mlp_views.pth");
const BESIDE: [&[u8]; 2] =
    [include_bytes!("golden/mlp_beside_2.pth"), include_bytes!("golden/mlp_beside_5.pth")];
const ODD: &[u8] = include_bytes!("golden/mlp_odd.pth");
const TWICE: &[u8] = include_bytes!("golden/mlp_twice.pth");
const WHOLE: &[u8] = include_bytes!("golden/whole_mlp.pth");
const WHOLE_INSIDE: &[u8] = include_bytes!("golden/whole_mlp_inside.pth");
const CALLS_SYSTEM: &[u8] = include_bytes!("golden/calls_system.pth");

/// Name and shape of every tensor in the files.
const TENSORS: [(&str, &[usize]); 6] = [
    ("0.weight", &[2, 3]),
    ("1.bias", &[2]),
    ("1.running_mean", &[2]),
    ("1.running_var", &[2]),
    ("1.weight", &[2]),
    ("4.weight", &[3, 2]),
];

fn network() -> ImageEncoder {
    let config: EncoderConfig = "mlp_i1_2_3".parse().unwrap();
    config.init(9, &Device::flex()).unwrap()
}

fn load(bytes: &[u8]) -> Result<(ImageEncoder, LoadReport), WeightError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    WeightFile::open(&path)?.load(network())
}

/// What is wrong with a file of these bytes.
fn refused(bytes: &[u8]) -> WeightFault {
    match load(bytes) {
        Err(WeightError::Load { reason, .. }) => reason,
        Err(other) => panic!("expected an error of loading, found {other}"),
        Ok(_) => panic!("the file was loaded"),
    }
}

fn features(network: &ImageEncoder) -> Vec<f32> {
    let images = Tensor::<4>::from_data([[[[0.5]], [[-1.0]], [[2.0]]]], &Device::flex());
    network.encode(images).into_data().try_to_vec().unwrap()
}

/// A safetensors file of the network's tensors, each changed or left out by `change`.
fn safetensors(
    change: impl Fn(&str, Vec<usize>, Vec<f32>) -> Option<(Vec<usize>, Vec<f32>)>,
) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let tensors = TENSORS.iter().filter_map(|&(name, shape)| {
        let (shape, values) = change(name, shape.to_vec(), formula_weights(name, shape))?;
        Some((name.to_owned(), shape, values))
    });
    write_safetensors(&path, tensors);
    std::fs::read(&path).unwrap()
}

#[test]
fn every_format_holds_the_same_weights() {
    let whole = safetensors(|_, shape, values| Some((shape, values)));
    let (expected, report) = load(&whole).unwrap();
    assert_eq!((report.naming, report.loaded), (Naming::Torchvision, 6));
    let expected = features(&expected);
    for (name, bytes) in [("zip", ZIP), ("legacy", LEGACY), ("checkpoint", CHECKPOINT)] {
        let (network, report) = load(bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(features(&network), expected, "{name}");
        let prefix = if name == "checkpoint" { "state_dict.module." } else { "" };
        assert_eq!((report.prefix.as_str(), report.left_over.len()), (prefix, 0), "{name}");
    }
    // Half precision.
    let (network, _) = load(VIEWS).unwrap();
    for (found, expected) in features(&network).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-2, "expected {expected}, found {found}");
        assert!((found - expected).abs() > 0.0, "half precision rounds");
    }
}

#[test]
fn what_training_scripts_keep_beside_the_weights_is_read_past() {
    let expected = features(&load(ZIP).unwrap().0);
    for bytes in BESIDE {
        let (network, report) = load(bytes).unwrap();
        assert_eq!(features(&network), expected);
        assert_eq!(
            report.to_string(),
            "6 tensors with torchvision's names below `model.`; left over: complex, \
            optimizer, rng"
        );
    }
}

#[test]
fn parameters_with_attributes_and_slices_of_wider_layers_are_read() {
    let (network, report) = load(ODD).unwrap();
    assert_eq!(features(&network), features(&load(ZIP).unwrap().0));
    assert_eq!(report.prefix, "teacher.backbone.");
}

#[test]
fn a_layer_under_two_names_is_one_encoder() {
    let (network, report) = load(TWICE).unwrap();
    assert_eq!(features(&network), features(&load(ZIP).unwrap().0));
    assert_eq!(report.prefix, "backbone.");
    assert_eq!(report.left_over.len(), 6);
}

#[test]
fn a_whole_network_is_refused_with_what_to_save_instead() {
    for bytes in [WHOLE, WHOLE_INSIDE] {
        assert_eq!(
            refused(bytes).to_string(),
            "expected named tensors, found an object of torchvision.ops.misc.MLP, which was not made: \
            that would run its code; save `model.state_dict()` instead"
        );
    }
}

#[test]
fn a_pickle_that_runs_a_command_is_named_and_not_run() {
    let error = refused(CALLS_SYSTEM);
    assert!(error.to_string().contains("posix.system"), "{error}");
    assert!(!Path::new("executed").exists());
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = safetensors(|_, shape, values| Some((shape, values)));
    for bytes in [ZIP, LEGACY, CHECKPOINT, VIEWS, ODD, BESIDE[0], &whole] {
        for length in 0..bytes.len() {
            refused(&bytes[..length]);
        }
    }
}

#[test]
fn files_of_another_format_are_refused() {
    for bytes in [&b"\x89PNG\r\n\x1a\n and so on"[..], b"", b"{}", &[0xFF; 64]] {
        assert!(matches!(refused(bytes), WeightFault::Format { .. }));
    }
}

#[test]
fn a_header_that_is_longer_than_the_file_is_not_allocated() {
    for length in [100, u64::MAX, 1 << 40, 15] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{\"a\":1}");
        assert!(matches!(refused(&bytes), WeightFault::Malformed { .. }), "{length}");
    }
}

#[test]
fn a_tensor_of_another_shape_is_refused() {
    let other = safetensors(|name, shape, values| {
        Some(if name == "4.weight" { (vec![2, 3], values) } else { (shape, values) })
    });
    assert_eq!(
        refused(&other).to_string(),
        "expected the encoder's 6 tensors below one prefix, found 5 at the top; \
        expected 4.weight of shape [3, 2], found [2, 3]"
    );
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let other = safetensors(|name, shape, mut values| {
            if name == "1.running_var" {
                values[1] = bad;
            }
            Some((shape, values))
        });
        let error = refused(&other).to_string();
        assert!(error.starts_with("expected 1.running_var to hold finite numbers"), "{error}");
    }
}

#[test]
fn missing_and_foreign_tensors_are_named_and_pass_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let tensors = TENSORS
        .iter()
        .filter(|(name, _)| *name != "4.weight")
        .map(|&(name, shape)| (name.to_owned(), shape.to_vec(), formula_weights(name, shape)));
    let foreign = ("extra.weight".to_owned(), vec![1], vec![0.0]);
    write_safetensors(&path, tensors.chain([foreign]));
    let error = refused(&std::fs::read(&path).unwrap());
    assert_eq!(
        error.to_string(),
        "expected the encoder's 6 tensors below one prefix, found 5 at the top; \
        missing: 1 (4.weight [3, 2]); in the file: 1 (extra.weight [1])"
    );
    let (_, report) = WeightFile::open(&path).unwrap().load_matching(network()).unwrap();
    assert_eq!(report.missing, ["4.weight"]);
    assert_eq!(report.left_over, ["extra.weight"]);
    assert_eq!(
        report.to_string(),
        "5 tensors with torchvision's names, 1 missing: 4.weight; left over: extra"
    );
}

#[test]
fn our_own_file_of_a_wrapped_encoder_is_that_of_the_network_inside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    let config: EncoderConfig = "resnet18x0.0625_cifar".parse().unwrap();
    let EncoderConfig::ResNet(inner) = config else { panic!("a ResNet") };
    let trained = inner.init(1, &Device::flex()).unwrap();
    save_weights(&trained, &path).unwrap();
    let wrapped = config.init(2, &Device::flex()).unwrap();
    let (wrapped, report) = WeightFile::open(&path).unwrap().load(wrapped).unwrap();
    assert_eq!(report.naming, Naming::Simclr);
    let images = Tensor::<4>::ones([1, 3, 8, 8], &Device::flex());
    let expected = trained.encode(images.clone()).into_data();
    wrapped.encode(images).into_data().assert_eq(&expected, true);

    save_weights(&wrapped, &path).unwrap();
    load_weights(inner.init(3, &Device::flex()).unwrap(), &path).unwrap();
}

#[test]
fn a_network_without_a_name_in_the_library_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let WeightError::Save { reason, .. } =
        save_published_weights(&network(), Naming::Timm, &path).unwrap_err()
    else {
        panic!("an error of saving");
    };
    assert!(matches!(reason, WeightFault::Unnamed { .. }), "{reason}");
    assert!(!path.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Nothing panics, and memory stays bounded, whatever is in the file.
    #[test]
    fn no_byte_that_is_changed_does_harm(
        file in 0_usize..9,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut bytes = [ZIP, LEGACY, CHECKPOINT, VIEWS, CALLS_SYSTEM, BESIDE[0], BESIDE[1], ODD, WHOLE][file].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = load(&bytes).map(drop);
    }

    #[test]
    fn no_legacy_pickle_does_harm(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [&LEGACY[..15], &tail].concat();
        let _ = load(&bytes).map(drop);
    }

    #[test]
    fn no_safetensors_header_does_harm(header in "\\{\"[a-z]\":\\{\"dtype\":\"(F32|I64|F16)\",\"shape\":\\[[0-9,]{0,24}\\],\"data_offsets\":\\[[0-9]{1,20},[0-9]{1,20}\\]\\}\\}") {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 64]);
        prop_assert!(load(&bytes).is_err());
    }
}
