//! `--monitor-images` and `--monitor-every`: what watches a run.

use serde_json::Value;

use crate::support::{TINY, failure, json, success, write_photos};

#[test]
fn a_run_says_what_watches_it_and_a_run_that_goes_on_may_be_watched_in_another_way() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let pretrain = ["pretrain", "--data=photos", "--out=run"];
    let watched = ["--monitor-images=6", "--monitor-every=2"];
    let text = success(here, &[&pretrain[..], &watched, &TINY].concat());
    let expected = "monitor        kNN of 6 test images by 6 training images, before training, after every 2 epochs and";
    assert!(text.contains(expected), "{text}");
    let expected =
        "the linear probe is logistic regression (L-BFGS), C = 1; 6 training images, 6 test images";
    assert!(text.contains(expected) && text.contains("watching took "), "{text}");

    let resume = ["pretrain", "--resume=run", "--epochs=4"];
    let summary = json(here, &[&resume[..], &["--set=monitor_every=never"]].concat());
    assert_eq!((&summary["epochs"], &summary["linear_probe"]), (&4.into(), &Value::Null));
    let knn = |line: &str| serde_json::from_str::<Value>(line).unwrap()["monitor"].is_object();
    let log = std::fs::read_to_string(here.join("run/metrics.jsonl")).unwrap();
    let lines = log.lines().filter(|line| line.contains(r#""event":"epoch""#));
    assert_eq!(lines.map(knn).collect::<Vec<_>>(), [true, false, true, false, false]);
    let text = success(here, &["pretrain", "--resume=run", "--epochs=5", "--monitor-every=1"]);
    let expected = "by 6 training images, before training and after each epoch";
    assert!(text.contains(expected), "the run keeps its number of images: {text}");
}

#[test]
fn a_plan_says_what_would_watch_and_a_value_out_of_range_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let plan = |flag: &str| {
        json(here, &[&["pretrain", "--data=photos", "--dry-run", flag], &TINY[..]].concat())
    };
    assert_eq!(plan("--monitor-every=never")["monitor"], "none");
    let all = plan("--monitor-every=1")["monitor"].as_str().unwrap().to_owned();
    assert!(all.starts_with("kNN of 8 test images by 32 training images, before"), "{all}");
    for (flag, expected) in [
        (
            "--monitor-every=0",
            "expected monitor_every to be a number of epochs of at least 1, or `never`, found 0",
        ),
        ("--monitor-images=0", "expected monitor_images to be at least 1, found 0"),
        ("--set=monitor_every=often", "a number of epochs of at least 1, or `never`"),
    ] {
        let (code, error) = failure(here, &["pretrain", "--data=photos", flag]);
        assert!(code == 2 && error.contains(expected), "{flag}: {code} {error}");
    }
}
