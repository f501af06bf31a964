//! `simclr classify`, by the files that `simclr eval --save` writes.

use serde_json::json;

use crate::support::{failure, json, simclr, success, write_photos_and_run};

#[test]
fn a_saved_classifier_names_the_class_of_files_and_of_whole_folders() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let eval = ["eval", "linear", "--run=run", "--data=photos", "--save=c.safetensors"];
    success(here, &[&eval[..], &["--predictions=said.json"]].concat());
    let said = std::fs::read_to_string(here.join("said.json")).unwrap();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();

    let classify = ["classify", "--classifier=c.safetensors"];
    let found = json(here, &[&classify[..], &["photos", "--top=9"]].concat());
    let images = found["images"].as_array().unwrap();
    assert_eq!((images.len(), &found["failed"]), (40, &json!([])));
    let of = |name: &str| images.iter().find(|image| image["image"] == name).unwrap();
    for said in said["predictions"].as_array().unwrap() {
        let image = of(&format!("photos/{}", said["name"].as_str().unwrap()));
        assert_eq!(image["class"], said["predicted"]);
        assert_eq!(
            (&image["top"][0]["class"], image["top"].as_array().unwrap().len()),
            (&image["class"], 2)
        );
        let sum: f64 = (0..2).map(|i| image["top"][i]["probability"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{image}");
    }

    let csv = success(here, &[&classify[..], &["photos/dots/00.png"]].concat());
    let (header, line) = csv.split_once('\n').unwrap();
    assert_eq!(header, "image,class,probability");
    let class = of("photos/dots/00.png")["class"].as_str().unwrap();
    assert!(line.starts_with(&format!("photos/dots/00.png,{class},0.")), "{line}");
    success(here, &[&classify[..], &["photos/dots/00.png", "--out=said.csv"]].concat());
    assert_eq!(std::fs::read_to_string(here.join("said.csv")).unwrap(), csv);
}

#[test]
fn a_fine_tuned_network_classifies_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let eval = ["eval", "finetune", "--run=run", "--data=photos", "--epochs=1"];
    success(here, &[&eval[..], &["--save=c.safetensors"]].concat());
    let found = json(here, &["classify", "--classifier=c.safetensors", "photos/dots/00.png"]);
    let class = found["images"][0]["class"].as_str().unwrap();
    assert!(["dots", "stripes"].contains(&class), "{found}");
}

#[test]
fn one_bad_image_does_not_lose_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    success(here, &["eval", "linear", "--run=run", "--data=photos", "--save=c.safetensors"]);
    std::fs::write(here.join("torn.png"), b"\x89PNG\r\n").unwrap();
    std::fs::create_dir(here.join("empty")).unwrap();

    let named = ["torn.png", "photos/dots/00.png", "nowhere.png", "empty", "photos/dots/01.png"];
    let output = simclr(here, &[&["classify", "--classifier=c.safetensors"], &named[..]].concat());
    let (out, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(3), "{error}");
    let images: Vec<&str> = out.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(images, ["image", "photos/dots/00.png", "photos/dots/01.png"]);
    for reason in ["nowhere.png", "torn.png", "empty"] {
        assert!(
            error.lines().any(|line| line.starts_with("skipped: ") && line.contains(reason)),
            "{error}"
        );
    }
    assert!(error.contains("error: 3 of the arguments have no result"), "{error}");

    let output =
        simclr(here, &[&["classify", "--classifier=c.safetensors", "--json"], &named[..]].concat());
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<_> = found["failed"].as_array().unwrap().iter().map(|f| &f["image"]).collect();
    assert_eq!(failed, ["nowhere.png", "empty", "torn.png"]);
    assert_eq!((found["images"].as_array().unwrap().len(), output.status.code()), (2, Some(3)));

    // In a folder that was named, an image that cannot be read is left out, as everywhere.
    std::fs::rename(here.join("torn.png"), here.join("photos/dots/torn.png")).unwrap();
    let output = simclr(here, &["classify", "--classifier=c.safetensors", "photos"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 image could not be read"));
    let (code, _) =
        failure(here, &["classify", "--classifier=c.safetensors", "empty", "--out=x.csv"]);
    assert_eq!((code, here.join("x.csv").exists()), (3, false), "no table without an image");
}

#[test]
fn files_that_are_no_classifiers_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    for (file, code, part) in [
        (
            "run/encoder.safetensors",
            4,
            "expected a classifier, with the names of its classes, in run/encoder",
        ),
        ("photos/dots/00.png", 4, "cannot load weights from photos/dots/00.png"),
        ("none.safetensors", 4, "cannot load weights from none.safetensors"),
    ] {
        let (found, error) = failure(here, &["classify", "--classifier", file, "photos"]);
        assert!(found == code && error.contains(part), "{found}: {error}");
    }
    let (code, error) = failure(here, &["classify", "--classifier=c", "photos", "--out=said.xls"]);
    assert!(code == 2 && error.contains("expected --out to end in .csv or .json"), "{error}");
}
