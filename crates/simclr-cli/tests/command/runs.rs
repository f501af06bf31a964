//! Runs side by side: `simclr runs`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TINY, failure, json, simclr, success, write_photos};

/// Two runs that differ in the seed and the temperature, and a folder that is none.
fn write_runs(here: &Path) {
    write_photos(here);
    for (out, more) in [
        ("--out=runs/1", &["--seed=3", "--epochs=1"][..]),
        ("--out=runs/10", &["--seed=4", "--epochs=2", "--temperature=0.5"]),
    ] {
        let arguments = ["pretrain", "--data=photos", out];
        success(here, &[&arguments[..], &TINY[..3], more].concat());
    }
    std::fs::create_dir(here.join("runs/notes")).unwrap();
}

#[test]
fn runs_are_listed_with_what_differs_and_what_came_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_runs(here);
    let text = success(here, &["runs"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("run "), "{text}");
    assert!(lines[1].starts_with("runs/1 ") && lines[2].starts_with("runs/10 "), "{text}");
    for part in ["finished", " 1/1 ", "resnet18x0.0625_cifar", " %", "train.seed=3"] {
        assert!(lines[1].contains(part), "{part}: {text}");
    }
    assert!(lines[2].contains("train.loss.temperature=0.5"), "{text}");
    assert!(!text.contains("batch_size"), "the same in both: {text}");
    assert!(lines[3].starts_with("runs/notes: expected a run directory"), "{text}");

    let listed = json(here, &["runs", "runs/1", "runs"]);
    assert_eq!(listed["runs"].as_array().unwrap().len(), 3, "a run is one of its own folder");
    let run = &json(here, &["runs"])["runs"][1];
    assert_eq!((&run["state"], &run["epochs"]), (&"finished".into(), &2.into()));
    assert_eq!(run["differs"]["train.loss.temperature"], 0.5);
    assert!(run["seconds"].as_f64().unwrap() > 0.0 && run["loss_last"].is_f64(), "{run}");
    let (code, error) = failure(here, &["runs", "nowhere"]);
    assert_eq!(code, 4, "{error}");

    let text = success(here, &["runs", "diff", "runs/1", "runs/10"]);
    for part in ["setting", "train.epochs", "train.seed", "kNN before training", "linear probe"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let diff = json(here, &["runs", "diff", "runs/1", "runs/10"]);
    assert_eq!(diff["settings"]["train.seed"], serde_json::json!([3, 4]));
    assert_eq!(diff["figures"][1]["summary"]["epochs"], 2);
    let same = success(here, &["runs", "diff", "runs/1", "runs/1"]);
    assert!(same.starts_with("the same settings\n"), "{same}");
    let (code, error) = failure(here, &["runs", "diff", "runs/1", "runs/notes"]);
    assert_eq!(code, 4, "{error}");
}

#[test]
fn damaged_and_hostile_folders_are_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_runs(here);
    let copy = |name: &str| {
        let to = here.join("runs").join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["config.toml", "summary.json", "metrics.jsonl"] {
            std::fs::copy(here.join("runs/1").join(file), to.join(file)).unwrap();
        }
        to
    };
    std::fs::write(copy("torn").join("summary.json"), "{\"epochs\": ").unwrap();
    std::fs::write(copy("other").join("config.toml"), "[train]\nseed = \"\u{1b}[2J\"\n").unwrap();
    std::fs::write(copy("binary").join("metrics.jsonl"), [0xff, b'\n']).unwrap();
    copy("a\u{1b}[2J\nb");
    #[cfg(unix)]
    {
        let pipe = copy("pipe").join("summary.json");
        std::fs::remove_file(&pipe).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    }
    let output = simclr(here, &["runs"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "{text}");
    for part in ["runs/torn: cannot read", "runs/other: cannot read", "runs/binary: cannot read"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains(r"runs/a\u{1b}[2J\nb"), "{text}");
    let runs = json(here, &["runs"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 3, "{runs}");
    let others = if cfg!(unix) { 5 } else { 4 };
    assert_eq!(runs["others"].as_array().unwrap().len(), others, "{runs}");
}

/// The state of the run, once it is `expected`, or after a minute.
fn state_after(here: &Path, expected: &str) -> Value {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let output = simclr(here, &["runs", "run", "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let state = found["runs"][0]["state"].clone();
        if state == expected || Instant::now() > end {
            return state;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_run_that_trains_is_told_from_one_that_was_killed_and_trains_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let arguments = ["pretrain", "--data=photos", "--out=run", "--epochs=100000"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_simclr"));
    command.current_dir(here).args(arguments).args(&TINY[..3]).stderr(std::process::Stdio::null());
    let mut trains = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let running = state_after(here, "running");
    let second = simclr(here, &["pretrain", "--resume=run"]);
    trains.kill().unwrap();
    trains.wait().unwrap();
    assert_eq!(running, "running");
    assert_eq!(second.status.code(), Some(4));
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(error.contains("expected a run that no other process trains"), "{error}");
    assert_eq!(state_after(here, "stopped"), "stopped");
}
