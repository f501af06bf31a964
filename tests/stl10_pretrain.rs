//! The example as a hostile user meets it: each mistake is a clear message and a failing exit code.

mod example;

use std::path::Path;
use std::process::{Command, Output};

use example::example;
use image::{Rgb, RgbImage};

/// Runs the example on a tiny network, with `arguments` on top.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let tiny =
        ["--epochs=1", "--encoder=resnet18x0.03125_cifar", "--image-size=16", "--batch-size=8"];
    let of = |name: &str| name.split('=').next().unwrap_or(name).to_owned();
    let resumes = arguments.iter().any(|given| of(given) == "--resume");
    let kept = tiny.iter().filter(|flag| {
        let given = arguments.iter().any(|given| of(given) == of(flag));
        !given && (!resumes || of(flag) == "--epochs")
    });
    Command::new(example("stl10_pretrain"))
        .current_dir(folder)
        .args(kept)
        .args(arguments)
        .output()
        .unwrap()
}

/// Everything an error run printed, which must have failed without a panic.
fn failure(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn success(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn write_images(dir: &Path, count: u32) {
    std::fs::create_dir_all(dir).unwrap();
    for number in 0..count {
        let shade = (number * 37 % 256) as u8;
        let image = RgbImage::from_fn(20, 18, |x, y| Rgb([shade, (x * 9) as u8, (y * 9) as u8]));
        image.save(dir.join(format!("{number:02}.png"))).unwrap();
    }
}

#[test]
fn the_built_in_sample_ends_with_the_table_and_a_run_directory() {
    let folder = tempfile::tempdir().unwrap();
    let text = success(folder.path(), &["--images=20"]);
    for part in [
        "using the built-in sample",
        "--download",
        "random weights",
        "after pretraining",
        "raw pixels",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(folder.path().join("runs/1/summary.json").is_file());
    success(folder.path(), &["--images=20"]);
    assert!(folder.path().join("runs/2/encoder.safetensors").is_file());
}

#[test]
fn a_run_can_be_resumed_for_more_epochs_but_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    success(folder.path(), &["--images=20", "--out=run"]);
    success(folder.path(), &["--resume=run", "--epochs=2"]);
    let text = failure(folder.path(), &["--images=20", "--resume=run", "--encoder=resnet34"]);
    assert!(text.contains("cannot be used with"), "{text}");
    let text = failure(folder.path(), &["--images=40", "--resume=run", "--epochs=2"]);
    assert!(text.contains("it had 20 images and now has 40"), "{text}");
}

#[test]
fn a_recipe_says_where_it_is_from_and_is_what_the_run_keeps() {
    let folder = tempfile::tempdir().unwrap();
    // Its warm-up alone takes ten epochs.
    let recipe = ["--images=20", "--recipe=cifar10-google", "--epochs=10", "--out=run"];
    let text = success(folder.path(), &recipe);
    assert!(text.contains("recipe cifar10-google: google-research/simclr"), "{text}");
    // 1.0 linear: the flags' batch of 8 takes its share of the rate.
    assert!(text.contains("1 * 8 / 256 = 0.03125 at its peak"), "{text}");
    let config = std::fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    assert!(config.contains("kind = \"lars\"") && config.contains("base = 1.0"), "{config}");
    let text = failure(folder.path(), &["--images=20", "--recipe=cifar10-openai"]);
    assert!(text.contains("cifar10-openai") && text.contains("cifar10-google"), "{text}");
    let text = failure(folder.path(), &["--resume=run", "--recipe=cifar10-google"]);
    assert!(text.contains("cannot be used with"), "{text}");
}

#[test]
fn corrupt_images_in_a_folder_are_skipped_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    write_images(&photos, 20);
    std::fs::write(photos.join("05_broken.jpg"), b"\xff\xd8\xff\xe0 no more of it").unwrap();
    let text = success(folder.path(), &["--data=photos", "--epochs=3"]);
    assert!(text.contains("05_broken.jpg"), "{text}");
    assert!(text.contains("1 images could not be read"), "{text}");
    assert!(text.contains("No labels"), "{text}");
}

#[test]
fn a_folder_of_nothing_but_corrupt_images_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    for number in 0..20 {
        std::fs::write(photos.join(format!("{number}.png")), b"not a picture").unwrap();
    }
    let text = failure(folder.path(), &["--data=photos"]);
    assert!(text.contains("expected at most 10 % of 20 examples to be unreadable"), "{text}");
}

#[test]
fn broken_binaries_are_named_with_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let message = |name: &str, files: &[(&str, Vec<u8>)]| {
        let dir = folder.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        for (file, bytes) in files {
            std::fs::write(dir.join(file), bytes).unwrap();
        }
        failure(folder.path(), &[&format!("--data={name}")])
    };
    let stl10_image = 3 * 96 * 96;
    let text = message("truncated", &[("unlabeled_X.bin", vec![0; 10 * stl10_image - 1])]);
    assert!(text.contains("unlabeled_X.bin to be a multiple of 27648 bytes"), "{text}");
    let text = message("empty", &[("unlabeled_X.bin", vec![])]);
    assert!(text.contains("found an empty file"), "{text}");
    let text = message(
        "oversized",
        &[("train_X.bin", vec![0; 10 * stl10_image]), ("train_y.bin", vec![1; 11])],
    );
    assert!(text.contains("expected 10 labels") && text.contains("found 11"), "{text}");
    let text = message(
        "label",
        &[("train_X.bin", vec![0; 10 * stl10_image]), ("train_y.bin", vec![11; 10])],
    );
    assert!(text.contains("expected a label in 1..=10 at position 0"), "{text}");
    let text = message("cifar", &[("data_batch_1.bin", vec![0; 3073 * 10 + 5])]);
    assert!(text.contains("data_batch_1.bin to be a multiple of 3073 bytes"), "{text}");
    let text = message("cifar_label", &[("data_batch_1.bin", vec![10; 3073 * 10])]);
    assert!(text.contains("expected a label in 0..=9 at position 0"), "{text}");
    let text = message("nothing", &[("readme.txt", b"hello".to_vec())]);
    assert!(text.contains("expected images"), "{text}");
    let text = failure(folder.path(), &["--data=not_there"]);
    assert!(text.contains("not_there"), "{text}");
}

#[test]
fn impossible_flags_are_refused_with_the_legal_range() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, expected) in [
        ("--batch-size=1", "expected batch_size to be at least 2"),
        ("--batch-size=21", "expected at least 21 examples, one batch, found 20"),
        ("--epochs=0", "expected epochs to be at least 1"),
        ("--images=0", "expected images to be"),
        ("--encoder=vgg16", "expected an encoder out of resnet18, resnet34, resnet50"),
        ("--encoder=resnet18x0", "expected an encoder out of"),
        ("--image-size=0", "expected size to be in 1..=16384, found 0"),
        ("--lr=-1", "expected learning_rate to be finite and positive, found -1"),
        ("--device=abacus", "expected a device out of"),
        ("--resume=nowhere", "expected a run directory with config.toml"),
        ("--download", "--data"),
    ] {
        let images: &[&str] =
            if flag.starts_with("--images") { &[flag] } else { &["--images=20", flag] };
        let text = failure(folder.path(), images);
        assert!(text.contains(expected), "{flag}: {text}");
    }
}

#[test]
fn an_output_that_exists_or_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("full")).unwrap();
    std::fs::write(folder.path().join("full/file"), "").unwrap();
    let text = failure(folder.path(), &["--images=20", "--out=full"]);
    assert!(text.contains("expected an empty folder"), "{text}");
    let text = failure(folder.path(), &["--images=20", "--out=full/file/run"]);
    assert!(text.contains("cannot create"), "{text}");
}
