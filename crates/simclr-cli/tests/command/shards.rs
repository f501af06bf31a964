//! Tar archives and packed files as `--data`.

use std::fs::{self, File};
use std::path::Path;

use crate::support::{TINY, failure, json, simclr, success, write_photos};

/// The photos of `photos`, in the order of a folder, in two shards.
fn write_shards(here: &Path) {
    fs::create_dir(here.join("shards")).unwrap();
    for (number, class) in ["dots", "stripes"].into_iter().enumerate() {
        let file = File::create(here.join(format!("shards/train-{number}.tar"))).unwrap();
        let mut builder = tar::Builder::new(file);
        for photo in 0..20 {
            let name = format!("{class}/{photo:02}.png");
            builder.append_path_with_name(here.join("photos").join(&name), name).unwrap();
        }
        builder.finish().unwrap();
    }
}

/// The losses of a run's steps.
fn losses(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == "step").map(|line| line["loss"].clone()).collect()
}

#[test]
fn shards_and_packed_files_train_as_the_folder_does() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    write_shards(here);
    let packed = json(here, &["data", "pack", "--data=photos", "--format=raw", "--out=packed.tar"]);
    assert_eq!((&packed["images"], &packed["skipped_images"]), (&40.into(), &0.into()));
    for (data, out) in [
        ("photos", "by-folder"),
        ("shards", "by-shards"),
        ("shards/train-{0..1}.tar", "by-pattern"),
        ("packed.tar", "by-pack"),
    ] {
        let arguments = ["pretrain", "--data", data, "--out", out];
        let text = success(here, &[&arguments[..], &TINY[..]].concat());
        assert!(text.contains("32 images to pretrain on, 32 labelled ones of 2 classes"), "{text}");
        assert_eq!(losses(&here.join(out)), losses(&here.join("by-folder")), "{data}");
    }
    // From another folder, by the run's index; the pattern is the run's own.
    let text = success(&here.join("photos"), &["pretrain", "--resume=../by-pattern", "--epochs=3"]);
    assert!(text.contains("tar shards: 32 images"), "{text}");
    assert!(here.join("by-pattern/data.index").exists());
    let found = json(here, &["embed", "--run=by-pack", "--data=packed.tar"]);
    assert_eq!(
        (&found["images"], &found["classes"]),
        (&40.into(), &serde_json::json!(["dots", "stripes"]))
    );
    let table = fs::read_to_string(here.join("by-pack/index.labels.csv")).unwrap();
    assert!(table.contains("dots/01.png,test,dots,0"), "{table}");
    let checked = json(here, &["data", "check", "shards"]);
    assert_eq!(checked["sets"][0]["images"], 32);
}

#[test]
fn packing_shrinks_says_what_is_skipped_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    fs::write(here.join("photos/dots/03.png"), "broken").unwrap();
    let pack = ["data", "pack", "--data=photos", "--short-side=9", "--out=packed.tar"];
    let packed = json(here, &pack);
    assert_eq!((&packed["images"], &packed["skipped_images"]), (&39.into(), &1.into()));
    assert!(packed["skipped"][0].as_str().unwrap().contains("03.png"), "{packed}");
    let whole = fs::read(here.join("packed.tar")).unwrap();
    let (code, error) = failure(here, &pack);
    assert_eq!(
        (code, error.contains("expected no file packed.tar, found one")),
        (2, true),
        "{error}"
    );
    fs::rename(here.join("packed.tar"), here.join("packed.tar.part")).unwrap();
    let half = File::options().write(true).open(here.join("packed.tar.part")).unwrap();
    half.set_len(whole.len() as u64 / 2).unwrap();
    let (code, error) = failure(here, &pack);
    assert_eq!((code, error.contains("--resume goes on with it")), (2, true), "{error}");
    let resumed = json(here, &[&pack[..], &["--resume"]].concat());
    assert!(resumed["resumed_images"].as_u64().unwrap() > 5, "{resumed}");
    assert!(fs::read(here.join("packed.tar")).unwrap() == whole);
    let (code, error) = failure(here, &[&pack[..], &["--format=raw", "--quality=80"]].concat());
    assert_eq!(
        (code, error.contains("expected --quality with --format jpeg")),
        (2, true),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_while_packing_is_an_error_that_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    // Every write to this device finds the disk full.
    std::os::unix::fs::symlink("/dev/full", here.join("packed.tar.part")).unwrap();
    let pack = ["data", "pack", "--data=photos", "--out=packed.tar", "--resume"];
    let (code, error) = failure(here, &pack);
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("cannot write packed.tar.part: No space left on device"), "{error}");
    assert!(error.contains("go on with --resume"), "{error}");
    assert!(!here.join("packed.tar").exists());
}

#[test]
fn shards_that_are_none_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    write_shards(here);
    fs::write(here.join("a.tar.gz"), b"\x1f\x8b and so on").unwrap();
    let mut nested = tar::Builder::new(File::create(here.join("nested.tar")).unwrap());
    nested.append_path_with_name(here.join("shards/train-0.tar"), "train-0.tar").unwrap();
    nested.finish().unwrap();
    for (data, code, expected) in [
        ("a.tar.gz", 3, "decompress it with `gunzip` first"),
        ("nested.tar", 3, "found archives such as `train-0.tar`; unpack it"),
        ("photos/dots/00.png", 3, "expected a tar archive, found PNG"),
        ("shards/train-{0..2}.tar", 3, "expected a shard at shards/train-2.tar, found nothing"),
        ("shards/train-{2..0}.tar", 2, "{2..0} doesn't rise"),
        (
            "nowhere",
            3,
            "expected a folder of images, a tar archive, a Parquet file or a pattern of shards at nowhere",
        ),
    ] {
        let (found, error) = failure(here, &["data", "check", data]);
        assert_eq!((found, error.contains(expected)), (code, true), "{data}: {error}");
    }
    let shard = fs::read(here.join("shards/train-1.tar")).unwrap();
    fs::write(here.join("shards/train-1.tar"), &shard[..20_000]).unwrap();
    let output = simclr(here, &["data", "check", "shards"]);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(
        warnings.contains("train-1.tar is cut off at byte 20000, within a member"),
        "{warnings}"
    );
}
