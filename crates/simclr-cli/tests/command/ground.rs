//! What transparent images lie on: a choice of the run.

use std::path::Path;

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use crate::support::{TINY, failure, json, simclr, success, write_photos};

/// Photos, and in `run` an encoder that was trained with transparent images on black.
fn write_run_on_black(here: &Path) {
    write_photos(here);
    let arguments = ["pretrain", "--data=photos", "--out=run", "--epochs=1"];
    let black = ["--set", "augmentation.ground=black"];
    success(here, &[&arguments[..], &TINY[..3], &black].concat());
}

/// Three images that are alike where they are opaque: the first is clear around a square, the others are black and white.
fn write_three(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let inside = |x: u32, y: u32| (6..14).contains(&x) && (4..10).contains(&y);
    let square = [200, 40, 90];
    let clear = RgbaImage::from_fn(20, 20, |x, y| {
        let [red, green, blue] = square;
        Rgba([red, green, blue, if inside(x, y) { 255 } else { 0 }])
    });
    clear.save(folder.join("clear.png")).unwrap();
    for (name, ground) in [("black.png", [0; 3]), ("white.png", [255; 3])] {
        let image =
            RgbImage::from_fn(20, 20, |x, y| Rgb(if inside(x, y) { square } else { ground }));
        image.save(folder.join(name)).unwrap();
    }
}

#[test]
fn embedding_and_search_lay_transparent_images_on_the_ground_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_run_on_black(here);
    write_three(&here.join("three"));
    success(here, &["embed", "--run=run", "--data=three"]);
    let found = json(here, &["search", "--run=run", "--count=3", "three/clear.png"]);
    let cosine = |name: &str| {
        let found = found["results"][0]["found"].as_array().unwrap();
        found.iter().find(|found| found["name"] == name).unwrap()["cosine"].as_f64().unwrap()
    };
    assert!(cosine("clear.png") > 0.99999 && cosine("black.png") > 0.99999, "{found}");
    assert!(cosine("white.png") < 0.9999, "{found}");
}

#[test]
fn an_index_refuses_queries_on_another_ground() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_run_on_black(here);
    success(here, &["embed", "--run=run", "--data=photos"]);
    let search = |ground: &[&str]| {
        let weights =
            ["search", "--weights=run/encoder.safetensors", "--index=run/index.safetensors"];
        let how = [TINY[0], "--image-size=16", "--normalize=cifar10"];
        simclr(here, &[&weights[..], &how, ground, &["photos/dots/00.png"]].concat())
    };
    assert!(search(&["--ground=#000000"]).status.success());
    for other in [&["--ground=#0000ff"][..], &[]] {
        let output = search(other);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("black ground"), "{error}");
    }
}

#[test]
fn a_run_that_goes_on_keeps_its_ground_and_views_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_run_on_black(here);
    success(here, &["pretrain", "--resume=run", "--epochs=2"]);
    let (code, error) =
        failure(here, &["pretrain", "--resume=run", "--set", "augmentation.ground=white"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("images.augmentation.ground"), "{error}");
    write_three(&here.join("three"));
    for name in ["black.png", "white.png"] {
        std::fs::remove_file(here.join("three").join(name)).unwrap();
    }
    let corner = |more: &[&str]| {
        let arguments = ["views", "--data=three", "--rows=1", "--columns=1", "--out=sheet.png"];
        success(here, &[&arguments[..], more].concat());
        image::open(here.join("sheet.png")).unwrap().into_rgb8().get_pixel(4, 4).0
    };
    assert_eq!(corner(&["--run=run"]), [0; 3]);
    assert_eq!(corner(&[]), [255; 3]);
    assert_eq!(corner(&["--set", "augmentation.ground=#204060"]), [0x20, 0x40, 0x60]);
}

#[test]
fn what_is_no_colour_is_refused_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let expected = "white, black or #rrggbb, found purple";
    let pretrain = ["pretrain", "--data=photos", "--set", "augmentation.ground=purple"];
    let embed = ["embed", "--weights=w", TINY[0], TINY[1], "--data=photos", "--ground=purple"];
    for arguments in [&pretrain[..], &embed] {
        let (code, error) = failure(here, arguments);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
