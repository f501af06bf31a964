//! Runs and folders with something wrong.

use std::fs;

use simclr_embed::EmbedError;
use simclr_report::ReportError;
use simclr_train::{RunDirectory, TrainError};

use crate::runs::{copy_of, folder, hostile, report, unlabelled};

#[test]
fn a_stopped_run_says_so_and_a_killed_one_is_an_error() {
    let (run, data) = unlabelled();
    let stopped = copy_of(run, "stopped-run");
    let summary = stopped.path().join("summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    fs::write(&summary, text.replace("\"epochs_planned\": 3", "\"epochs_planned\": 9")).unwrap();
    let html = report(&stopped, data).unwrap().to_html();
    assert!(html.contains("The run was stopped after epoch 3 of 9"));

    fs::remove_file(&summary).unwrap();
    assert!(report(&stopped, data).unwrap().to_html().contains("The run left no summary.json"));

    fs::remove_file(stopped.encoder_weights()).unwrap();
    let error = report(&stopped, data).unwrap_err();
    assert!(matches!(error, ReportError::NoEncoder { .. }));
    assert!(error.to_string().contains("found none: the run has not ended"), "{error}");
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    let (run, data) = unlabelled();
    for (file, damage, part) in [
        ("metrics.jsonl", "{\"event\":\"step\"}\n{}\n", "line 1"),
        ("summary.json", "{", "summary.json"),
        ("config.toml", "seed = 1", "config.toml"),
        ("encoder.safetensors", "no weights", "encoder.safetensors"),
    ] {
        let copy = copy_of(run, &format!("damaged-{file}"));
        fs::write(copy.path().join(file), damage).unwrap();
        let error = report(&RunDirectory::open(copy.path()).unwrap(), data).unwrap_err();
        let known = matches!(
            error,
            ReportError::Run(TrainError::Parse { .. }) | ReportError::Embed(EmbedError::Weights(_))
        );
        assert!(known && error.to_string().contains(part), "{file}: {error}");
    }
}

#[test]
fn weights_of_another_encoder_than_the_configs_are_an_error() {
    let (run, data) = unlabelled();
    let copy = copy_of(run, "other-encoder");
    let config = copy.path().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let other = text.replace("resnet18x0.03125_cifar", "resnet18x0.0625_cifar");
    assert_ne!(text, other);
    fs::write(&config, other).unwrap();
    let error = report(&copy, data).unwrap_err();
    assert!(matches!(error, ReportError::Embed(EmbedError::Weights(_))), "{error}");
}

#[test]
fn a_run_on_something_else_than_images_is_an_error_that_says_so() {
    let (run, data) = unlabelled();
    let copy = copy_of(run, "signals");
    let config = copy.path().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let (engine, _) = text.split_once("[images]").unwrap();
    fs::write(&config, format!("{engine}[signals]\nlength = 64\n")).unwrap();
    let error = report(&copy, data).unwrap_err();
    assert!(matches!(error, ReportError::Run(TrainError::Parse { .. })));
    let error = error.to_string();
    assert!(error.contains("expected a table [images], found [signals]"), "{error}");
    assert!(error.contains("config.toml"), "{error}");
}

#[test]
fn images_that_cannot_be_read_are_left_out_and_counted() {
    let (run, data) = hostile();
    let photos = folder("damaged-photos");
    for (index, class) in ["plain", "other"].into_iter().enumerate() {
        let inside = photos.join(class);
        fs::create_dir_all(&inside).unwrap();
        for number in 0..10_u8 {
            let shade = 20 * number + index as u8;
            let image = image::RgbImage::from_pixel(18, 18, image::Rgb([shade; 3]));
            image.save(inside.join(format!("{number}.png"))).unwrap();
        }
        fs::write(inside.join("3.png"), "no image").unwrap();
    }
    let other = simclr_data::Splits::open(&photos).unwrap();
    assert_ne!(other.description, data.description);
    let html = report(run, &other).unwrap().to_html();
    assert!(html.contains("This page leaves out 2 images that could not be read."));
}

#[test]
fn a_page_that_cannot_be_written_leaves_nothing() {
    let (run, data) = unlabelled();
    let page = report(run, data).unwrap();
    let folder = folder("unwritable");
    let path = folder.join("missing").join("report.html");
    let error = page.write(&path).unwrap_err();
    assert!(matches!(error, ReportError::Write { .. }), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
