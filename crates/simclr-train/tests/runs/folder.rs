//! The files of a run's folder, and folders that are none.

use burn::tensor::Device;
use simclr_model::load_weights;
use simclr_train::{MetricsLine, PretrainConfig, RunDirectory, Summary, TrainError, read_metrics};

use crate::support::{config, in_directory, new_run, pretraining, resumed, run, sample, values};

#[test]
fn a_run_leaves_config_metrics_checkpoints_encoder_and_summary() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("parents/are/made");
    let trained = new_run(config(3), &dir);

    let run = RunDirectory::open(&dir).unwrap();
    assert_eq!(PretrainConfig::of_run(&run).unwrap(), config(3));
    assert_eq!(run.config().unwrap().made_with.device, "flex");
    let summary: Summary =
        serde_json::from_slice(&std::fs::read(dir.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary, trained.summary);
    assert_eq!((summary.epochs, summary.seed, summary.skipped_images), (3, 3, 0));
    assert!(summary.knn_top1_initial.is_some() && summary.knn_top1.is_some());
    assert!((0.0..=1.0).contains(&summary.linear_probe.unwrap()));
    assert!(summary.images_per_second.unwrap() > 0.0);

    let blank = config(3).images.encoder.init(99, &Device::flex()).unwrap();
    let loaded = load_weights(blank, run.encoder_weights()).unwrap();
    assert_eq!(values(&loaded), values(&trained.encoder));

    let lines = read_metrics(&run.metrics()).unwrap();
    let steps = lines.iter().filter(|l| matches!(l, MetricsLine::Step { .. })).count();
    let epochs = lines.iter().filter(|l| matches!(l, MetricsLine::Epoch { .. })).count();
    assert_eq!((steps, epochs), (3 * 3, 1 + 3), "three steps in each of three epochs");

    let mut kept: Vec<_> = std::fs::read_dir(dir.join("checkpoint"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert!(kept.ends_with(&["epoch-0002".to_owned(), "epoch-0003".to_owned()]), "{kept:?}");
}

#[test]
fn a_folder_with_files_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("precious.txt"), "mine").unwrap();
    let error = run(in_directory(pretraining(config(1)), folder.path()), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::RunExists { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_run_directory_below_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error =
        run(in_directory(pretraining(config(1)), &file.join("run")), &sample()).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
}

#[test]
fn a_folder_that_is_no_run_cannot_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(resumed(pretraining(config(1)), folder.path()), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::NotARun { missing: "config.toml", .. }), "{error}");
}

#[test]
fn a_broken_config_file_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), "[train]\nepochs = \"many\"\n").unwrap();
    let error = RunDirectory::open(folder.path()).unwrap().config().unwrap_err().to_string();
    assert!(error.contains("config.toml: line 2: invalid type"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn what_a_killed_process_had_begun_to_write_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml.x7Qk.part"), "[made_wi").unwrap();
    run(in_directory(pretraining(config(1)), folder.path()), &sample()).map(drop).unwrap();
}
