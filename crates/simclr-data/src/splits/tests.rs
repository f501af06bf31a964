use std::{collections::HashSet, fs, path::Path};

use image::{Rgb, RgbImage};

use super::*;
use crate::{Opening, SampleConfig};

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
fn stl10_pretrains_on_unlabelled_and_training_images_and_tests_on_test_images() {
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
fn without_a_test_split_every_fifth_image_is_held_out_of_training_set_and_pretraining() {
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
fn class_folders_give_every_fifth_image_of_each_class_to_the_test_set() {
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
fn split_folders_are_known_by_all_usual_names() {
    for (train, test) in [
        ("train", "valid"),
        ("Training", "Testing"),
        ("seg_train", "seg_test"),
        ("train_images", "val2017"),
        ("trainset", "dev"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write_images(&dir.path().join(train), &["a/1.png", "b/1.png", "b/2.png"]);
        write_images(&dir.path().join(test), &["a/1.png", "b/1.png"]);
        let (splits, labelled) = open(dir.path());
        let found = (splits.pretrain.len(), labelled.train.len(), labelled.test.len());
        assert_eq!(found, (3, 3, 2), "{train} and {test}");
        assert_eq!(labelled.train.class_names(), ["a", "b"], "{train} and {test}");
        assert!(splits.warnings.is_empty(), "{:?}", splits.warnings);
        let origin = format!("2 in the test set (`{test}`)");
        assert!(splits.description.ends_with(&origin), "{}", splits.description);
    }
}

#[test]
fn split_folders_may_lie_in_folders_of_the_same_split() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["training/training/n0/1.png", "training/training/n1/1.png"]);
    write_images(dir.path(), &["validation/validation/n1/1.png"]);
    let (_, labelled) = open(dir.path());
    assert_eq!(labelled.train.class_names(), ["n0", "n1"]);
    assert_eq!(names(&labelled.test), ["validation/validation/n1/1.png"]);
}

#[test]
fn folders_without_images_count_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/a/1.png", "train/b/1.png", "__MACOSX/train/a/._1.png"]);
    write_images(dir.path(), &["__MACOSX/train/a/1.png", ".cache/1.png", "train/@eaDir/1.png"]);
    fs::create_dir(dir.path().join("annotations")).unwrap();
    fs::write(dir.path().join("annotations/1.xml"), "<a/>").unwrap();
    let splits = Splits::open(dir.path()).unwrap();
    assert_eq!(splits.pretrain.class_names(), ["a", "b"]);
    assert_eq!((splits.pretrain.len(), splits.warnings.len()), (2, 0));
}

#[test]
fn unlabelled_images_and_a_test_set_beside_class_folders_are_no_classes() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["a/1.png", "b/1.png", "unlabeled/x/1.png", "unlabeled/2.png"]);
    write_images(dir.path(), &["test/a/1.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(labelled.train.class_names(), ["a", "b"]);
    let expected = ["unlabeled/2.png", "unlabeled/x/1.png", "a/1.png", "b/1.png"];
    assert_eq!(names(&splits.pretrain), expected);
    assert_eq!(names(&labelled.test), ["test/a/1.png"]);
    assert!(splits.warnings.is_empty(), "{:?}", splits.warnings);
}

#[test]
fn what_is_left_out_is_said() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/a/1.png", "test/a/1.png", "val/a/1.png", "pred/1.png"]);
    write_images(dir.path(), &["cover.png"]);
    let expected = [
        "the folder `pred` is left out",
        "1 images beside the split folders are left out",
        "`val` is not used",
    ];
    assert_eq!(open(dir.path()).0.warnings, expected);
}

#[test]
fn classes_of_the_test_set_that_training_lacks_are_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/a/1.png", "train/b/1.png"]);
    write_images(dir.path(), &["test/b/1.png", "test/yak/1.png", "test/zebra/1.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(names(&labelled.test), ["test/b/1.png"]);
    assert_eq!(labels(&labelled.test), [1]);
    assert_eq!(
        splits.warnings,
        ["classes of `test` that the training set lacks are left out: yak, zebra"]
    );
}

#[test]
fn a_test_set_of_other_classes_alone_gives_way_to_held_out_images() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/a/1.png", "train/a/2.png", "val/y/1.png", "test/z/1.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(names(&labelled.test), ["train/a/2.png"]);
    assert_eq!(names(&splits.pretrain), ["train/a/1.png"]);
    assert!(splits.warnings.iter().any(|line| line.contains("no class of the training set")));
}

#[test]
fn class_names_match_across_unicode_normal_forms() {
    let dir = tempfile::tempdir().unwrap();
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    write_images(&dir.path().join("train"), &[&format!("{composed}/1.png"), "tea/1.png"]);
    write_images(&dir.path().join("test"), &[&format!("{decomposed}/1.png")]);
    let (_, labelled) = open(dir.path());
    assert_eq!(labelled.train.class_names(), [composed, "tea"]);
    assert_eq!(labels(&labelled.test), [0]);
    assert!(labelled.test.image(0).is_ok(), "the file keeps its own name");
}

#[test]
fn a_class_may_be_called_train() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["train/1.png", "train/2.png", "car/1.png", "ship/1.png"]);
    let (splits, labelled) = open(dir.path());
    assert_eq!(labelled.train.class_names(), ["car", "ship", "train"]);
    assert_eq!(splits.warnings, ["the folder `train` is taken as a class"]);
}

#[test]
fn an_empty_folder_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b/c/d/e")).unwrap();
    assert!(matches!(error(dir.path()), DataError::NoImages { .. }));
}

#[test]
fn the_samples_test_set_is_balanced_and_not_pretrained_on() {
    let splits = Splits::sample(&SampleConfig { seed: 2, images: 41, size: 8 }).unwrap();
    let labelled = splits.labelled.unwrap();
    assert_eq!((splits.pretrain.len(), labelled.test.len()), (41, 10));
    assert_eq!(labelled.test.name(0), "sample/ring/41");
    assert_eq!(labels(&labelled.test).into_iter().collect::<HashSet<_>>().len(), 10);
}

fn lens(splits: &Splits) -> [usize; 3] {
    let labelled = splits.labelled.as_ref().unwrap();
    [splits.pretrain.len(), labelled.train.len(), labelled.test.len()]
}

#[test]
fn a_limit_keeps_images_of_all_classes_and_a_fifth_as_many_of_the_test_set() {
    let all = Splits::sample(&SampleConfig { images: 40, size: 8, seed: 0 }).unwrap();
    let few = all.clone().limited_to(12).unwrap();
    assert_eq!(lens(&few), [12, 12, 3]);
    let train = few.labelled.unwrap().train;
    assert_eq!(labels(&train).into_iter().collect::<HashSet<_>>().len(), 10);
    assert_eq!(names(&few.pretrain), names(&train), "the same draw of the same set");
    assert_eq!(
        few.description,
        format!("{}; of these, 12 drawn from all classes", all.description)
    );
    assert_eq!(lens(&all.limited_to(1000).unwrap()), [40, 40, 10]);
}

#[test]
fn a_limit_is_at_least_one_image() {
    let all = Splits::sample(&SampleConfig { images: 40, size: 8, seed: 0 }).unwrap();
    let error = all.limited_to(0).err().unwrap();
    assert!(matches!(error, DataError::OutOfRange(_)));
    assert_eq!(error.to_string(), "expected images to be at least 1, found 0");
}

#[test]
fn a_folder_is_opened_and_its_absence_means_the_sample() {
    let dir = tempfile::tempdir().unwrap();
    write_images(dir.path(), &["a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png"]);
    let splits = |dir: Option<&Path>, images| {
        Splits::open_or_sample(dir, images, &Opening::default()).unwrap()
    };
    assert_eq!(lens(&splits(Some(dir.path()), None)), [3, 3, 2]);
    assert_eq!(lens(&splits(Some(dir.path()), Some(2))), [2, 2, 1]);
    assert_eq!(lens(&splits(None, None)), [2000, 2000, 400]);
    assert_eq!(lens(&splits(None, Some(70))), [70, 70, 20]);
}

#[test]
fn the_typical_side_is_the_median_of_the_shorter_ones_of_readable_images() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("0.png"), "no image").unwrap();
    let side = || Splits::open(dir.path()).unwrap().typical_side();
    assert!(matches!(side(), Err(DataError::Decode { path, .. }) if path.ends_with("0.png")));
    write_images(dir.path(), &["1.png"]); // A thumbnail that sorts first.
    for number in 2..60 {
        RgbImage::new(30, 20).save(dir.path().join(format!("{number}.png"))).unwrap();
    }
    assert_eq!(side().unwrap(), 20);
}

#[test]
fn images_beside_the_class_folders_of_a_training_split_are_only_pretrained_on() {
    let dir = tempfile::tempdir().unwrap();
    write_images(
        dir.path(),
        &["train/a/1.png", "train/b/1.png", "train/stray.png", "test/a/1.png"],
    );
    let (splits, labelled) = open(dir.path());
    assert_eq!(names(&splits.pretrain), ["train/stray.png", "train/a/1.png", "train/b/1.png"]);
    assert_eq!(names(&labelled.train), ["train/a/1.png", "train/b/1.png"]);
}
