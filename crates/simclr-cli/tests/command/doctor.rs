//! `simclr doctor`, tiny, on the CPU.

use serde_json::Value;

use crate::support::{failure, json, simclr, success};

/// Sizes that take a second.
const TINY: [&str; 4] =
    ["--encoder=resnet18x0.125_cifar", "--size=16", "--batch-size=4", "--loss-n=64,96"];

fn doctor<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["doctor"], &TINY[..], more].concat()
}

#[test]
fn a_device_is_compared_and_measured_and_the_file_has_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = success(here, &doctor(&["--time-limit=30", "--json", "found.json"]));
    let found = std::fs::read_to_string(here.join("found.json")).unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();

    assert_eq!((&found["doctor"], &found["device"]["name"]), (&1.into(), &"flex".into()));
    assert_eq!(found["device"]["is_gpu"], false);
    assert!(found["machine"]["threads"].as_u64().unwrap() > 0);
    assert_eq!(found["encoder"], "resnet18x0.125_cifar");
    let parity = &found["parity"];
    let state = (&parity["passes"], &parity["products"], &parity["outcome"]);
    assert_eq!(state, (&true.into(), &"f32".into(), &"ok".into()), "{parity}");
    let checks = parity["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 9);
    for check in checks {
        assert!(check["difference"].as_f64().unwrap() <= check["tolerance"].as_f64().unwrap());
        assert!(text.contains(check["check"].as_str().unwrap()), "{text}");
    }
    let training = found["training"].as_array().unwrap();
    assert_eq!(
        (&training[0]["precision"], &training[1]["precision"]),
        (&"f32".into(), &"bf16".into())
    );
    for row in training.iter().chain([&found["embedding"]]) {
        assert_eq!((&row["outcome"], &row["images"]), (&"ok".into(), &4.into()), "{row}");
        let per_second = row["images_per_second"].as_f64().unwrap();
        assert!((per_second * row["seconds"].as_f64().unwrap() - 4.0).abs() < 1e-6, "{row}");
    }
    for (row, n) in found["loss"].as_array().unwrap().iter().zip([64, 96]) {
        assert_eq!((&row["n"], &row["d"], &row["outcome"]), (&n.into(), &128.into(), &"ok".into()));
        assert!(
            row["seconds"].as_f64().unwrap() > 0.0 && row["measurements"].as_u64().unwrap() > 0
        );
    }
    let largest = &found["largest_batch"];
    assert!(largest["images"].as_u64().unwrap() >= 4, "{largest}");
    assert!(["memory", "time", "size"].contains(&largest["limited_by"].as_str().unwrap()));
    assert!(text.contains("16 px, 4 images in a step"), "the sizes are said: {text}");
}

#[test]
fn with_json_alone_or_a_dash_the_object_is_all_that_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let quick = doctor(&["--quick"]);
    for found in [
        json(here, &quick),
        {
            let text = success(here, &[&["--json"], &quick[..]].concat());
            serde_json::from_str(&text).unwrap()
        },
        {
            let text = success(here, &[&quick[..], &["--json", "-"]].concat());
            serde_json::from_str(&text).unwrap()
        },
    ] {
        assert_eq!(found["largest_batch"]["outcome"], "skipped", "{found}");
        assert_eq!(found["size"], 16, "a flag counts more than --quick");
    }
}

#[test]
fn what_takes_too_long_is_an_outcome_and_a_comparison_that_does_not_end_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "doctor",
        "--encoder=resnet152",
        "--batch-size=64",
        "--loss-n=32",
        "--time-limit=1",
        "--json",
    ];
    let output = simclr(folder.path(), &arguments);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    for row in [&found["training"][0], &found["embedding"], &found["largest_batch"]] {
        assert_eq!(row["outcome"], "out-of-time", "{row}");
    }
    let passes = found["parity"]["passes"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!passes)), "{found}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(passes, !error.contains("the comparison with the CPU did not end"), "{error}");
}

#[test]
fn what_cannot_be_examined_is_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (arguments, code, part) in [
        ("--batch-size 0", 2, "--batch-size"),
        ("--loss-n 1", 2, "--loss-n"),
        ("--encoder vgg16", 2, "vgg16"),
        ("--encoder vit_tiny_p16 --size 96", 2, "224"),
        ("--device abacus", 2, "expected a device out of"),
        ("--device flex:0", 2, "expected a device out of"),
        ("--time-limit 0", 2, "--time-limit"),
        ("--json nowhere/found.json", 4, "there is no folder nowhere"),
    ] {
        let arguments: Vec<&str> = ["doctor"].into_iter().chain(arguments.split(' ')).collect();
        let (found, error) = failure(here, &arguments);
        assert_eq!(found, code, "{arguments:?}: {error}");
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}
