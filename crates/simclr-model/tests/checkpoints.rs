//! Encoders in the files of training scripts: where they lie, and what lies beside them.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, LoadReport, Naming, NearMiss, WeightError, WeightFault,
    WeightFile, save_published_weights,
};

mod support;

use support::{formula_weights, write_safetensors};

const RESNET: &str = "resnet18x0.0625_cifar";

/// A tensor of a file: its name, its shape and its values.
type Named = (String, Vec<usize>, Vec<f32>);

fn encoder(name: &str, seed: u64) -> ImageEncoder {
    name.parse::<EncoderConfig>().unwrap().init(seed, &Device::flex()).unwrap()
}

fn features(encoder: &ImageEncoder, size: usize) -> Vec<f32> {
    let images =
        Tensor::<1>::from_data(support::uniform(7, 3 * size * size).as_slice(), &Device::flex());
    encoder.encode(images.reshape([1, 3, size, size])).into_data().try_to_vec().unwrap()
}

/// The tensors of a network with torchvision's names, and values of the formula that `seed` tells apart.
fn published(name: &str, seed: u64) -> Vec<Named> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    save_published_weights(&encoder(name, 0), Naming::Torchvision, &path).unwrap();
    let file = WeightFile::open(&path).unwrap();
    let tensors = file.tensors().filter(|(name, _)| !name.ends_with("num_batches_tracked"));
    let values = |name: &str, shape: &[usize]| formula_weights(&format!("{seed}.{name}"), shape);
    tensors.map(|(name, shape)| (name.to_owned(), shape.to_vec(), values(name, shape))).collect()
}

/// The ResNet with those values.
fn resnet(seed: u64) -> ImageEncoder {
    load(published(RESNET, seed), RESNET).unwrap().0
}

fn below(prefix: &str, tensors: &[Named]) -> Vec<Named> {
    let named =
        |(name, shape, values): &Named| (format!("{prefix}{name}"), shape.clone(), values.clone());
    tensors.iter().map(named).collect()
}

fn small(names: &[&str]) -> Vec<Named> {
    names.iter().map(|name| ((*name).to_owned(), vec![2], vec![0.0; 2])).collect()
}

fn open(folder: &Path, tensors: Vec<Named>) -> WeightFile {
    let path = folder.join("checkpoint.safetensors");
    write_safetensors(&path, tensors);
    WeightFile::open(&path).unwrap()
}

fn load(tensors: Vec<Named>, name: &str) -> Result<(ImageEncoder, LoadReport), WeightFault> {
    let folder = tempfile::tempdir().unwrap();
    match open(folder.path(), tensors).load(encoder(name, 9)) {
        Ok(loaded) => Ok(loaded),
        Err(WeightError::Load { reason, .. }) => Err(reason),
        Err(other) => panic!("expected an error of loading, found {other}"),
    }
}

fn near_miss(tensors: Vec<Named>, name: &str) -> NearMiss {
    match load(tensors, name).unwrap_err() {
        WeightFault::Encoder(near_miss) => *near_miss,
        other => panic!("expected a near miss, found {other}"),
    }
}

#[test]
fn an_encoder_is_found_below_any_prefix_with_a_head_beside_it() {
    let expected = features(&resnet(1), 16);
    for prefix in [
        "",
        "module.",
        "backbone.",
        "_orig_mod.",
        "module._orig_mod.",
        "state_dict.model.encoder_q.",
        "teacher.backbone.",
        "net.0.",
    ] {
        let mut tensors = below(prefix, &published(RESNET, 1));
        tensors.extend(below(prefix, &small(&["fc.0.weight", "fc.0.bias", "queue"])));
        tensors.extend(small(&["optimizer.0.exp_avg", "rank"]));
        let (found, report) = load(tensors, RESNET).unwrap_or_else(|e| panic!("{prefix}: {e}"));
        assert_eq!(features(&found, 16), expected, "{prefix}");
        assert_eq!((report.prefix.as_str(), report.left_over.len()), (prefix, 5));
        let left_over = report.to_string();
        let (_, left_over) = left_over.split_once("; left over: ").unwrap();
        let mut groups = vec!["optimizer".to_owned(), "rank".to_owned()];
        groups.extend([format!("{prefix}fc (2 tensors)"), format!("{prefix}queue")]);
        groups.sort();
        assert_eq!(left_over, groups.join(", "));
    }
}

#[test]
fn an_encoder_that_is_there_twice_is_chosen_by_its_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = || {
        let top = published(RESNET, 1);
        [
            below("student.net.", &published(RESNET, 2)),
            below("teacher.net.", &published(RESNET, 3)),
            top,
        ]
        .concat()
    };
    assert_eq!(
        load(tensors(), RESNET).unwrap_err().to_string(),
        "expected one prefix below which the file holds all of the encoder's tensors, found 3: the top of the file, with the empty prefix, `student.net.`, \
        `teacher.net.`"
    );
    for (prefix, whole, seed) in [
        ("", "", 1),
        ("student.", "student.net.", 2),
        ("teacher", "teacher.net.", 3),
        ("teacher.net", "teacher.net.", 3),
    ] {
        let file = open(folder.path(), tensors()).below(prefix);
        let (found, report) = file.load(encoder(RESNET, 9)).unwrap();
        assert_eq!(features(&found, 16), features(&resnet(seed), 16), "{prefix}");
        assert_eq!(report.prefix, whole);
    }
    // A prefix ends with a whole part of a name.
    let nowhere = open(folder.path(), tensors()).below("teach").load(encoder(RESNET, 9));
    let Err(WeightError::Load { reason, .. }) = nowhere else { panic!("there is no such prefix") };
    let message = reason.to_string();
    assert!(message.contains("found none; missing: 100 (teach.conv1.weight"), "{message}");
    assert!(message.contains("in the file: 300 (bn1.bias [4], "), "{message}");
}

#[test]
fn a_resnet_whose_layers_nn_sequential_has_numbered_is_found() {
    for first_stage in [2, 3, 4] {
        let mut tensors = published(RESNET, 1);
        for (name, _, _) in &mut tensors {
            let (layer, rest) = name.split_once('.').unwrap();
            let number = match layer.strip_prefix("layer") {
                Some(stage) => first_stage + stage.parse::<usize>().unwrap() - 1,
                None => usize::from(layer == "bn1"),
            };
            *name = format!("{number}.{rest}");
        }
        tensors.extend(small(&["9.weight"]));
        let (found, report) = load(below("encoder.", &tensors), RESNET).unwrap();
        assert_eq!(features(&found, 16), features(&resnet(1), 16));
        assert_eq!(report.naming, Naming::Sequential { first_stage });
        assert_eq!(report.left_over, ["encoder.9.weight"]);
    }
}

#[test]
fn a_larger_network_is_not_taken_for_the_smaller_one_inside_it() {
    // A ResNet-34 has all tensors of a ResNet-18, and an MLP of three layers those of one of two.
    let miss = near_miss(published("resnet34x0.0625_cifar", 1), RESNET);
    assert_eq!(miss.found, miss.expected);
    assert_eq!((miss.surplus.len(), miss.surplus[0].0.as_str()), (80, "layer1.2.bn1.bias"));
    let message = miss.to_string();
    assert!(
        message.contains("found 100 at the top; of a larger network: 80 (layer1.2.bn1.bias [4]"),
        "{message}"
    );
    let miss = near_miss(published("mlp_i2_4_4_4", 1), "mlp_i2_4_4");
    assert!(miss.surplus.iter().any(|(name, _)| name == "8.weight"), "{miss}");
}

#[test]
fn a_file_of_another_network_is_shown_beside_what_was_expected() {
    let miss = near_miss(below("model.", &published("resnet18x0.125_cifar", 1)), RESNET);
    assert_eq!((miss.prefix.as_str(), miss.missing.len()), ("model.", 0));
    let message = miss.to_string();
    let expected = "expected model.conv1.weight of shape [4, 3, 3, 3], found [8, 3, 3, 3], and ";
    assert!(message.contains(expected), "{message}");

    let miss = near_miss(small(&["visual.0.w", "visual.0.b", "logit_scale"]), RESNET);
    assert_eq!((miss.found, miss.missing.len(), miss.others.len()), (0, 100, 3));
    assert_eq!(
        miss.to_string(),
        "expected the encoder's 100 tensors below one prefix, found none; missing: 100 (conv1.weight [4, 3, 3, 3], \
        bn1.weight [4], bn1.bias [4], bn1.running_mean [4], ...); in the file: 3 (logit_scale [2], \
        visual.0.b [2], visual.0.w [2])"
    );
}

#[test]
fn positions_for_another_number_of_patches_are_resampled() {
    let mut tensors = published("vit_tiny_p8_i16", 1);
    let positions = tensors.iter_mut().find(|(name, ..)| name == "encoder.pos_embedding").unwrap();
    assert_eq!(positions.1, [1, 5, 192]);
    // The class token's positions are 2, those of the patches 3.
    positions.2 = (0..5 * 192).map(|at| if at < 192 { 2.0 } else { 3.0 }).collect();
    let (found, report) = load(below("model.", &tensors), "vit_tiny_p8_i32").unwrap();
    assert_eq!(report.resampled, Some([2, 4]));
    assert!(report.to_string().contains("resampled from 2 x 2 to 4 x 4 patches"), "{report}");
    let tensors = simclr_model::module_tensors(&found);
    let positions = tensors.iter().find(|tensor| tensor.name() == "positions").unwrap();
    let values: Vec<f32> = positions.values().into_data().try_to_vec().unwrap();
    assert_eq!(values.len(), 17 * 192);
    assert_eq!(values[..192], [2.0; 192]);
    assert!(values[192..].iter().all(|value| (value - 3.0).abs() < 1e-6));
}

#[test]
fn positions_that_are_no_square_of_patches_are_refused() {
    let mut tensors = published("vit_tiny_p8_i16", 1);
    let positions = tensors.iter_mut().find(|(name, ..)| name == "encoder.pos_embedding").unwrap();
    (positions.1, positions.2) = (vec![1, 6, 192], vec![0.0; 6 * 192]);
    let miss = near_miss(tensors, "vit_tiny_p8_i32");
    assert_eq!(
        miss.misshapen,
        [("encoder.pos_embedding".to_owned(), vec![1, 17, 192], vec![1, 6, 192])]
    );
}
