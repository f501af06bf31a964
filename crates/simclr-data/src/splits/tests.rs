use std::{collections::HashSet, fs};

use image::{Rgb, RgbImage};

use super::*;

const STL10_IMAGE: usize = 3 * 96 * 96;
const CIFAR10_IMAGE: usize = 1 + 3 * 32 * 32;

fn write_images(dir: &Path, paths: &[&str]) {
    for path in paths {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_pixel(2, 2, Rgb([7; 3])).save(path).unwrap();
    }
}

fn names(dataset: &Arc<dyn ImageDataset>) -> Vec<String> {
    (0..dataset.len()).map(|index| dataset.name(index)).collect()
}

fn labels(dataset: &Arc<dyn ImageDataset>) -> Vec<usize> {
    (0..dataset.len()).map(|index| dataset.label(index).unwrap()).collect()
}

fn open(dir: &Path) -> (Splits, Labelled) {
    let splits = Splits::open(dir).unwrap();
    let labelled = splits.labelled.clone().unwrap();
    (splits, labelled)
}

fn error(dir: &Path) -> DataError {
    Splits::open(dir).err().unwrap()
}

#[test]
fn stl10_pretrains_on_unlabelled_and_training_images_and_asks_about_test_images() {
    let dir = tempfile::tempdir().unwrap();
    for (split, images) in [("train", 3), ("test", 2), ("unlabeled", 4)] {
        fs::write(dir.path().join(format!("{split}_X.bin")), vec![0; images * STL10_IMAGE])
            .unwrap();
        fs::write(dir.path().join(format!("{split}_y.bin")), vec![1; images]).unwrap();
    }
    let (splits, labelled) = open(dir.path());
    assert_eq!((splits.pretrain.len(), labelled.train.len(), labelled.test.len()), (7, 3, 2));
    assert_eq!(names(&splits.pretrain)[4], "train_X.bin[0]");
    assert!(
        splits.description.starts_with("STL-10: 7 images to pretrain on, 3 labelled"),
        "{}",
        splits.description
    );
}

#[test]
fn without_a_test_split_queries_are_held_out_of_bank_and_pretraining() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train_X.bin"), vec![0; 12 * STL10_IMAGE]).unwrap();
    fs::write(dir.path().join("train_y.bin"), [1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3]).unwrap();
    let (splits, labelled) = open(dir.path());
    assert_eq!(names(&labelled.test), ["train_X.bin[1]", "train_X.bin[6]", "train_X.bin[8]"]);
    assert_eq!(labels(&labelled.test), [0, 0, 1]);
    let pretrain: HashSet<_> = names(&splits.pretrain).into_iter().collect();
    assert_eq!(pretrain, names(&labelled.train).into_iter().collect());
    assert!(pretrain.is_disjoint(&names(&labelled.test).into_iter().collect()));
}

#[test]
fn unlabelled_stl10_images_alone_can_be_pretrained_on() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("unlabeled_X.bin"), vec![0; 2 * STL10_IMAGE]).unwrap();
    let splits = Splits::open(dir.path()).unwrap();
    assert_eq!((splits.pretrain.len(), splits.labelled.is_none()), (2, true));
}

#[test]
fn a_test_split_alone_is_nothing_to_train_on() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("test_X.bin"), vec![0; STL10_IMAGE]).unwrap();
    fs::write(dir.path().join("test_y.bin"), [1]).unwrap();
    assert!(matches!(error(dir.path()), DataError::Missing { .. }));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("test_batch.bin"), vec![0; CIFAR10_IMAGE]).unwrap();
    assert!(matches!(error(dir.path()), DataError::Missing { .. }));
}

#[test]
fn cifar10_is_recognised_inside_the_folder_of_its_archive() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("cifar-10-batches-bin");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("data_batch_2.bin"), vec![0; 3 * CIFAR10_IMAGE]).unwrap();
    fs::write(inner.join("test_batch.bin"), vec![0; CIFAR10_IMAGE]).unwrap();
    let (splits, labelled) = open(dir.path());
    assert_eq!((splits.pretrain.len(), labelled.train.len(), labelled.test.len()), (3, 3, 1));
}

#[test]
fn class_folders_give_every_fifth_image_of_each_class_to_the_queries() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png", "stray.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(names(&labelled.test), ["a/1.png", "b/1.png"]);
    assert_eq!(names(&labelled.train), ["a/0.png", "a/2.png", "b/0.png"]);
    assert_eq!(names(&splits.pretrain), ["stray.png", "a/0.png", "a/2.png", "b/0.png"]);
}

#[test]
fn a_flat_folder_has_nothing_to_evaluate_with() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["1.png", "2.png"]);
    let splits = Splits::open(dir.path()).unwrap();
    assert!(splits.labelled.is_none());
    assert_eq!(
        splits.description,
        "image folder: 2 images to pretrain on, no labels to evaluate with"
    );
}

#[test]
fn split_folders_are_used_as_such_and_classes_are_matched_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let paths = [
        "Train/a/1.png",
        "Train/b/1.png",
        "Train/c/1.png",
        "val/a/9.png",
        "test/c/1.png",
        "test/b/1.png",
    ];
    write_images(dir.path(), &paths);
    write_images(dir.path(), &["unlabeled/x.png", "unlabeled/y.png", "test/stray.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!((splits.pretrain.len(), labelled.train.len()), (5, 3));
    assert_eq!(names(&labelled.test), ["test/b/1.png", "test/c/1.png"]);
    assert_eq!(labels(&labelled.test), [1, 2]);
    assert_eq!(labelled.test.class_names(), labelled.train.class_names());
}

#[test]
fn validation_images_stand_in_for_a_test_split() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["training/a/1.png", "training/b/1.png", "validation/a/2.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(
        (splits.pretrain.len(), names(&labelled.test)),
        (2, vec!["validation/a/2.png".to_owned()])
    );
}

#[test]
fn a_query_of_a_class_without_examples_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/a/1.png", "train/b/1.png", "test/zebra/1.png"]);
    let message = error(dir.path()).to_string();
    assert_eq!(
        message,
        "expected the classes of the test among those of the training set (a, b), found `zebra`"
    );
}

#[test]
fn a_class_may_be_called_train() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/1.png", "train/2.png", "car/1.png", "ship/1.png"]);
    let (_, labelled) = open(dir.path());
    assert_eq!(labelled.train.class_names(), ["car", "ship", "train"]);
}

#[test]
fn an_empty_folder_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b/c/d/e")).unwrap();
    assert!(matches!(error(dir.path()), DataError::NoImages { .. }));
}

#[test]
fn the_samples_queries_are_balanced_and_not_pretrained_on() {
    let splits = Splits::sample(&SampleConfig { seed: 2, images: 41, size: 8 }).unwrap();
    let labelled = splits.labelled.unwrap();
    assert_eq!((splits.pretrain.len(), labelled.test.len()), (41, 10));
    assert_eq!(labelled.test.name(0), "sample/ring/41");
    assert_eq!(labels(&labelled.test).into_iter().collect::<HashSet<_>>().len(), 10);
}
