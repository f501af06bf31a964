//! The command as a hostile or hurried user meets it: every mistake has an exit code and says what to do.

use crate::support::{TINY, failure, simclr, success, write_photos};

/// Arguments, their exit code, and what the error says.
const MISTAKES: &[(&str, i32, &str)] = &[
    ("pretrain --data nowhere --out run", 3, "nowhere"),
    ("pretrain --data empty --out run", 3, "point --data at a folder of JPEG, PNG, WebP"),
    ("views --data empty", 3, "expected images"),
    ("lr-find --data empty", 3, "expected images"),
    ("data check empty", 3, "expected images"),
    ("data convert empty --out new", 3, "expected images"),
    ("data convert empty --out no-run", 2, "expected a new folder for --out, found no-run"),
    ("eval knn --run no-run", 4, "expected a run directory with config.toml"),
    ("eval linear --run no-run", 4, "`simclr pretrain --out DIR` makes one"),
    ("embed --run no-run --data empty", 4, "expected a run directory"),
    ("embed --run killed --data empty", 4, "hint: `simclr pretrain --resume RUN` lets a run"),
    ("eval knn --run killed --of random-weights", 4, "the trained encoder, which a run writes"),
    ("search --run no-run photo.png", 2, "expected an index at no-run/index.safetensors"),
    ("report --run no-run", 4, "expected a run directory"),
    (
        "embed --weights w.pth --encoder resnet18 --image-size 32 --data empty --out v.txt",
        2,
        "a file name that ends in .npy or .safetensors, found v.txt",
    ),
    (
        "embed --weights w.pth --encoder resnet18 --image-size 32 --data empty --out v.npy",
        4,
        "w.pth",
    ),
    ("eval knn --run no-run --predictions said.xls", 2, "to end in .csv or .json"),
    ("eval linear --run no-run --save new/c.safetensors", 4, "there is no folder new"),
    ("eval linear --run no-run --c -1", 2, "expected c to be"),
    ("eval finetune --run no-run --epochs 0", 2, "expected epochs to be at least 1"),
    ("embed --run no-run --encoder resnet18 --data empty", 2, "cannot be used with"),
    ("embed --weights w.pth --encoder resnet18 --data empty --out v.npy", 2, "--image-size"),
    ("runs no-run/nothing", 4, "cannot read no-run/nothing"),
    ("runs diff no-run killed", 4, "expected a run directory"),
    ("pretrain --images 0", 2, "expected images to be in 1.."),
    ("pretrain --device abacus", 2, "expected a device out of"),
    ("pretrain --recipe imagenette", 2, "expected a recipe out of"),
    ("pretrain --set epochs", 2, "expected --set KEY=VALUE"),
    ("pretrain --set epoch=3", 2, "unknown key `epoch` in --set; did you mean `epochs`?"),
    ("pretrain --set train.encoder=resnet18", 2, "it belongs to [images]"),
    ("pretrain --batch-size 1 --dry-run", 2, "batch_size"),
    ("pretrain --temperature -1 --dry-run", 2, "temperature"),
    (
        "pretrain --images 20 --batch-size 64 --out run",
        2,
        "at least 64 examples, one batch, found 20",
    ),
    ("pretrain --max-skipped 10 --dry-run", 2, "expected max_skipped to be in 0..=1, found 10"),
    ("pretrain --restart-schedule", 2, "--resume"),
    ("pretrain --accept-other-data", 2, "--resume"),
    ("pretrain --resume no-run", 4, "expected a run directory"),
    ("pretrain --encoder vgg16", 2, "vgg16"),
    ("eval knn --run no-run --stl10-folds --images 9", 2, "cannot be used with"),
    ("fine-tune", 2, "unrecognized subcommand"),
];

#[test]
fn each_command_without_images_or_a_run_fails_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("empty")).unwrap();
    std::fs::create_dir(here.join("no-run")).unwrap();
    std::fs::create_dir(here.join("killed")).unwrap();
    std::fs::write(here.join("killed/config.toml"), "").unwrap();
    let of = |arguments: &str| failure(here, &arguments.split(' ').collect::<Vec<_>>());
    for &(arguments, code, part) in MISTAKES {
        let (found, error) = of(arguments);
        assert_eq!(found, code, "{arguments}: {error}");
        assert!(error.contains(part), "{arguments}: {error}");
        assert!(!here.join("run").exists(), "{arguments} left a run");
    }
}

#[test]
fn a_run_directory_that_exists_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::fs::create_dir(here.join("run")).unwrap();
    std::fs::write(here.join("run/notes.txt"), "mine").unwrap();
    let arguments = [&["pretrain", "--data=photos", "--out=run"], &TINY[..]].concat();
    let (code, error) = failure(here, &arguments);
    assert_eq!(code, 4);
    assert!(error.contains("expected an empty folder for the run"), "{error}");
    assert!(error.contains("hint: --out takes a folder of a new name"), "{error}");
    assert_eq!(std::fs::read_dir(here.join("run")).unwrap().count(), 1);
}

#[test]
fn an_unknown_key_of_a_config_is_named_with_the_nearest_known_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("run.toml"), "epochs = 3\nbatchsize = 8\n").unwrap();
    let (code, error) = failure(here, &["pretrain", "--config=run.toml"]);
    assert_eq!(code, 2);
    assert!(
        error.contains("unknown key `batchsize` in run.toml:2; did you mean `batch_size`?"),
        "{error}"
    );
    let (code, error) = failure(here, &["pretrain", "--config=none.toml"]);
    assert_eq!((code, error.contains("cannot read none.toml")), (4, true), "{error}");
}

#[test]
fn errors_are_json_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let output = simclr(folder.path(), &["data", "check", "nowhere", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["exit_code"], 3);
    assert!(error["error"].as_str().unwrap().contains("nowhere"));
    assert!(error["hint"].is_string());
}

#[test]
fn hostile_file_names_cannot_rewrite_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let hostile = here.join("photos/dots/\u{1b}[2Jx\n.png");
    std::fs::copy(here.join("photos/dots/00.png"), hostile).unwrap();
    std::fs::write(here.join("photos/dots/\u{1b}[31m.jpg"), "no image").unwrap();
    let arguments = ["pretrain", "--data=photos", "--out=run", "--epochs=1"];
    let output = simclr(here, &[&arguments[..], &TINY[..3]].concat());
    assert!(output.status.success());
    for arguments in [
        &["data", "check", "photos"][..],
        &["embed", "--run=run", "--data=photos"],
        &["search", "--run=run", "photos/dots/00.png", "-c=40"],
        &["views", "--data=photos", "--rows=41"],
    ] {
        let output = simclr(here, arguments);
        let bytes = [output.stdout, output.stderr].concat();
        assert!(!bytes.contains(&0x1b), "{arguments:?}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_disk_that_is_full_is_an_error_with_a_hint() {
    // Every write to it fails as on a full disk; elsewhere there is no such file.
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (code, error) = failure(
        here,
        &[
            "lr-find",
            "--steps=10",
            "--out=/dev/full",
            "--images=20",
            "--batch-size=8",
            "--image-size=16",
            "--encoder=resnet18x0.0625_cifar",
        ],
    );
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("make room on that disk"), "{error}");
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let bash = success(here, &["completions", "bash"]);
    let page = success(here, &["man"]);
    for command in [
        "pretrain", "eval", "embed", "search", "views", "report", "data", "doctor", "runs",
        "weights",
    ] {
        assert!(bash.contains(command) && page.contains(command), "{command}");
    }
    assert!(page.contains("lr\\-find"));
    assert!(page.contains("stopped by Ctrl"), "the exit codes are part of the manual");
    success(here, &["man", "--out=."]);
    assert!(here.join("simclr-pretrain.1").is_file());
    let (code, _) = failure(here, &["man", "--out=nowhere"]);
    assert_eq!(code, 4);
}
