//! Runs that learn from labels, and settings of one word.

use std::fs;

use crate::support::{TINY, failure, json, success, write_photos};

#[test]
fn a_labelled_run_leaves_out_what_has_no_class_and_its_page_says_that_it_had_labels() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    fs::create_dir(here.join("photos/unlabeled")).unwrap();
    for name in ["00.png", "01.png", "02.png"] {
        let (from, to) = (here.join("photos/dots"), here.join("photos/unlabeled"));
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let arguments = ["pretrain", "--data=photos", "--out=run", "--loss=sup-con"];
    let printed = success(here, &[&arguments[..], &TINY].concat());
    assert!(printed.contains("pretraining on the 32 labelled ones"), "{printed}");
    assert!(printed.contains("(32 images, 8 in a step)"), "{printed}");
    let config = fs::read_to_string(here.join("run/config.toml")).unwrap();
    assert!(config.contains("kind = \"sup-con\"\ntemperature = 0.2"), "{config}");
    success(here, &["pretrain", "--resume=run", "--epochs=3"]);

    success(here, &["report", "--run=run", "--data=photos"]);
    let page = fs::read_to_string(here.join("run/report.html")).unwrap();
    for words in [
        "32 images with their labels",
        "SupCon (all views of a class",
        "Class found",
        "It was trained with labels",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("This page shows other images"));
}

#[test]
fn photos_without_classes_are_refused_before_a_labelled_run_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let arguments = ["pretrain", "--data=photos/dots", "--out=run", "--loss=sup-con"];
    let (code, error) = failure(here, &[&arguments[..], &TINY].concat());
    assert_eq!(code, 3, "{error}");
    assert!(error.contains("found 20 without; take images in class folders"), "{error}");
    assert!(!here.join("run").exists());
}

#[test]
fn loss_optimiser_and_crop_are_one_word_each() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let words = ["--loss=sup-con", "--optimizer=sgd", "--padded-crop=4", "--dry-run"];
    let arguments = [&["pretrain", "--data=photos"], &TINY[..], &words].concat();
    let plan = json(here, &arguments);
    let (train, images) = (&plan["config"]["train"], &plan["config"]["images"]);
    let sgd = serde_json::json!({ "kind": "sgd", "momentum": 0.9, "nesterov": false,
        "weight_decay": 1e-4_f32, "decay_scope": "all" });
    assert_eq!(train["optimizer"], sgd);
    let padded = serde_json::json!({ "padding": 4, "fill": "black" });
    assert_eq!(images["augmentation"]["padded_crop"], padded);
    assert_eq!((&train["loss"]["kind"], &plan["images"]), (&"sup-con".into(), &32.into()));
    let text = success(here, &arguments);
    assert!(text.contains("training images, which the loss contrasts by class"), "{text}");
    assert!(text.contains("SGD with momentum 0.9, weight decay 0.0001"), "{text}");
}

#[test]
fn a_padded_crop_has_no_share_of_the_image_and_less_padding_than_a_view() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let mistake = |words: &[&str]| {
        let (code, error) = failure(here, &[&["views", "--data=photos"], words].concat());
        assert_eq!(code, 2, "{error}");
        error
    };
    let error = mistake(&["--padded-crop=16", "--image-size=16"]);
    assert!(error.contains("padded_crop.padding to be below 16"), "{error}");
    let error = mistake(&["--padded-crop=4", "--smallest-crop=0.5"]);
    assert!(error.contains("cannot be used with"), "{error}");
    let error = mistake(&["--set=augmentation.padded_crop.padding=4", "--smallest-crop=0.5"]);
    assert!(error.contains("--smallest-crop: the config has a padded_crop"), "{error}");
}
