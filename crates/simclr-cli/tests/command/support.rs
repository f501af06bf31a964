//! The command, and a folder of photos to run it on.

use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use serde_json::Value;

/// A run so small that it takes a second.
pub(crate) const TINY: [&str; 5] = [
    "--encoder=resnet18x0.0625_cifar",
    "--image-size=16",
    "--batch-size=8",
    "--epochs=2",
    "--seed=3",
];

pub(crate) fn simclr(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simclr")).current_dir(folder).args(arguments).output().unwrap()
}

/// What a command that works prints.
pub(crate) fn success(folder: &Path, arguments: &[&str]) -> String {
    let output = simclr(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The JSON of a command that works, which is all that it prints.
pub(crate) fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&success(folder, &[arguments, &["--json"]].concat())).unwrap()
}

/// The exit code and the error of a command that fails, without a panic.
pub(crate) fn failure(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = simclr(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(!error.contains("panicked"), "{error}");
    (output.status.code().unwrap(), error)
}

/// Forty photos of two kinds, in the class folders of `photos`.
pub(crate) fn write_photos(folder: &Path) {
    for class in ["stripes", "dots"] {
        let dir = folder.join("photos").join(class);
        std::fs::create_dir_all(&dir).unwrap();
        for number in 0..20_u32 {
            let image = RgbImage::from_fn(20 + number % 3, 18, |x, y| {
                let on = if class == "dots" { (x + y) % 4 == 0 } else { (x + number) % 6 < 3 };
                if on { Rgb([250, (number * 12) as u8, 30]) } else { Rgb([10, 20, (y * 9) as u8]) }
            });
            image.save(dir.join(format!("{number:02}.png"))).unwrap();
        }
    }
}

/// [`write_photos`], and in `run` an encoder that has seen them once.
pub(crate) fn write_photos_and_run(folder: &Path) {
    write_photos(folder);
    let arguments = ["pretrain", "--data=photos", "--out=run", "--epochs=1"];
    success(folder, &[&arguments[..], &TINY[..3]].concat());
}
