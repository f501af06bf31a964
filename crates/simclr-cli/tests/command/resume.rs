//! Runs that stop and go on.

use std::path::Path;

use crate::support::{TINY, failure, success, write_photos};

/// A run of the photos in `here`, of two epochs.
fn pretrain(here: &Path, out: &str) {
    let out = format!("--out={out}");
    success(here, &[&["pretrain", "--data=photos", &out], &TINY[..]].concat());
}

/// The losses of a run's steps.
fn losses(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == "step").map(|line| line["loss"].clone()).collect()
}

#[test]
fn a_run_goes_on_from_any_folder_with_nothing_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    pretrain(here, "run");
    std::fs::create_dir(here.join("elsewhere")).unwrap();
    let text = success(&here.join("elsewhere"), &["pretrain", "--resume=../run", "--epochs=3"]);
    assert!(text.contains("rate change    one schedule over 3 epochs instead of 2"), "{text}");
    assert_eq!(losses(&here.join("run")).len(), 3 * 4);
    let text = success(here, &["pretrain", "--resume=run"]);
    assert!(!text.contains("rate change"), "the run has 3 epochs now: {text}");
    let restart = ["pretrain", "--resume=run", "--epochs=5", "--restart-schedule"];
    let text = success(here, &restart);
    assert!(text.contains("rate change    a new schedule after epoch 3"), "{text}");
    success(here, &restart);
}

#[test]
fn what_differs_from_the_run_is_refused_by_name_and_what_repeats_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    pretrain(here, "run");
    std::fs::write(here.join("other.toml"), "epochs = 3\n[train.loss]\ntemperature = 0.4\n")
        .unwrap();
    std::fs::write(here.join("out.toml"), "seed = 3\nout = \"elsewhere\"\n").unwrap();
    for (arguments, expected) in [
        ("--epochs=4 --lr=0.5", "--lr: the run has 0.002, found 0.5; --resume goes on"),
        ("--seed=4", "--seed: the run has 3, found 4"),
        ("--steps-per-epoch=9", "--steps-per-epoch: the run has none, found 9"),
        ("--encoder=resnet34", "--encoder: the run has \"resnet18x0.0625_cifar\", found"),
        ("--loss=decoupled-nt-xent", "--loss: the run has \"nt-xent\", found"),
        ("--images=9", "--images: the run has all, found 9"),
        ("--weights=w.pth", "--weights: the run has random ones, found"),
        ("--recipe=cifar10", "the recipe cifar10-google"),
        ("--set=optimizer.weight_decay=0.5", "--set optimizer.weight_decay"),
        (
            "--config=other.toml",
            "train.loss in other.toml:2 (train.loss.temperature): the run has 0.2",
        ),
        ("--config=out.toml", "out in out.toml:2: the run has run, found elsewhere"),
    ] {
        let arguments: Vec<&str> =
            ["pretrain", "--resume=run"].into_iter().chain(arguments.split(' ')).collect();
        let (code, error) = failure(here, &arguments);
        assert_eq!((code, error.contains(expected)), (2, true), "{arguments:?}: {error}");
    }
    let repeated = ["--data=photos", "--config=run/config.toml", "--lr=0.002", "--temperature=0.2"];
    success(here, &[&["pretrain", "--resume=run"], &repeated[..], &TINY[..]].concat());
}

#[test]
fn other_images_are_an_error_that_says_how_to_insist() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    pretrain(here, "run");
    std::fs::rename(here.join("photos"), here.join("moved")).unwrap();
    let (code, error) = failure(here, &["pretrain", "--resume=run"]);
    assert_eq!((code, error.contains("photos")), (3, true), "{error}");
    success(here, &["pretrain", "--resume=run", "--data=moved"]);

    // As many photos, one of another name.
    std::fs::rename(here.join("moved/dots/02.png"), here.join("moved/dots/02b.png")).unwrap();
    let (code, error) = failure(here, &["pretrain", "--resume=run", "--epochs=3"]);
    assert_eq!((code, error.contains("have other names")), (2, true), "{error}");
    assert!(error.contains("hint: --accept-other-data goes on"), "{error}");
    success(here, &["pretrain", "--resume=run", "--epochs=3", "--accept-other-data"]);
    success(here, &["pretrain", "--resume=run", "--epochs=4"]);
}

#[cfg(unix)]
#[test]
fn a_signal_in_the_first_epoch_leaves_a_run_that_goes_on_by_the_command_it_names() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    pretrain(here, "whole");
    for signal in ["INT", "TERM"] {
        let run = format!("{signal} it's");
        let mut process = Command::new(env!("CARGO_BIN_EXE_simclr"))
            .current_dir(here)
            .args(["pretrain", "--data=photos", "--out", &run])
            .args(TINY)
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        // From here on the run can be stopped; it may have begun or not.
        printed.find(|line| line.as_ref().unwrap().starts_with("run directory")).unwrap().unwrap();
        let kill = ["-s", signal, &process.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
        let output = process.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let command = format!("go on with: simclr pretrain --resume '{signal} it'\\''s'");
        assert_eq!((output.status.code(), error.contains(&command)), (Some(130), true), "{error}");

        let again = [&["pretrain", "--data=photos", "--out", &run], &TINY[..]].concat();
        let (code, error) = failure(here, &again);
        assert_eq!((code, error.contains(&command[12..])), (4, true), "{error}");
        success(here, &["pretrain", "--resume", &run]);
        assert_eq!(losses(&here.join(&run)), losses(&here.join("whole")));
    }
}
