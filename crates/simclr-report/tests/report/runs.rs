//! The runs that all tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use simclr_augment::SimClrAugmentation;
use simclr_data::Splits;
use simclr_model::{ResNetConfig, ResNetDepth, Stem};
use simclr_report::{ReportConfig, ReportError, RunReport};
use simclr_train::{
    ImageConfig, LearningRate, OptimizerConfig, PretrainConfig, Pretraining, Progress, Recipe,
    RunDirectory, TrainConfig,
};

/// Names that a browser must show and never read.
pub(crate) const HOSTILE_CLASS: &str = "<img src=x onerror=alert(1)>";
pub(crate) const HOSTILE_FILE: &str =
    "a\" onload=\"alert(2)' <script>alert(3)<!--{{script}}\u{2028}&amp;.png";

/// Folders with files of all tests, removed with the process.
pub(crate) fn folder(name: &str) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A copy of a run's files, to be changed.
pub(crate) fn copy_of(run: &RunDirectory, name: &str) -> RunDirectory {
    let copy = folder(name);
    for file in ["config.toml", "metrics.jsonl", "summary.json", "encoder.safetensors"] {
        fs::copy(run.path().join(file), copy.join(file)).unwrap();
    }
    RunDirectory::open(&copy).unwrap()
}

pub(crate) fn report(run: &RunDirectory, data: &Splits) -> Result<RunReport, ReportError> {
    RunReport::new(run, data, &ReportConfig::default(), &Device::flex())
}

pub(crate) fn count(html: &str, part: &str) -> usize {
    html.matches(part).count()
}

/// A run on class folders, one of which has a hostile name, and a hostile file in it. A range test chose its rate.
pub(crate) fn hostile() -> &'static (RunDirectory, Splits) {
    static RUN: OnceLock<(RunDirectory, Splits)> = OnceLock::new();
    RUN.get_or_init(|| {
        let photos = folder("photos");
        // "</script>" cannot be part of a file's name, as it has a slash; a folder and a file can be.
        for (class, name) in [HOSTILE_CLASS, "plain", "<"].into_iter().enumerate() {
            let inside =
                if name == "<" { photos.join(name).join("script>") } else { photos.join(name) };
            fs::create_dir_all(&inside).unwrap();
            for number in 0..20_u8 {
                let shade = 80 * class as u8 + 4 * number;
                let image = RgbImage::from_fn(20, 18, |x, y| {
                    Rgb([shade, (12 * x) as u8, if class == 1 { 0 } else { (12 * y) as u8 }])
                });
                let file = if class == 0 { HOSTILE_FILE } else { ".png" };
                image.save(inside.join(format!("{number:02}{file}"))).unwrap();
            }
        }
        let data = Splits::open(&photos).unwrap();
        let run = pretrain(config(), &data, &folder("hostile-run"));
        (run, data)
    })
}

pub(crate) fn unlabelled() -> &'static (RunDirectory, Splits) {
    static RUN: OnceLock<(RunDirectory, Splits)> = OnceLock::new();
    RUN.get_or_init(|| {
        let photos = folder("unlabelled-photos");
        for number in 0..30_u8 {
            let image =
                RgbImage::from_fn(20, 18, |x, y| Rgb([8 * number, (12 * x) as u8, (12 * y) as u8]));
            image.save(photos.join(format!("{number}.png"))).unwrap();
        }
        let data = Splits::open(&photos).unwrap();
        (pretrain(config(), &data, &folder("unlabelled-run")), data)
    })
}

fn config() -> PretrainConfig {
    let PretrainConfig { train, images } = Recipe::Cifar10Google.config();
    let train = TrainConfig {
        seed: 3,
        epochs: 3,
        batch_size: 8,
        warmup_epochs: 1,
        learning_rate: LearningRate::unscaled(1e-3),
        optimizer: OptimizerConfig::adamw(1e-4),
        ..train
    };
    let images = ImageConfig {
        encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
        augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        ..images
    };
    PretrainConfig { train, images }
}

fn pretrain(config: PretrainConfig, data: &Splits, path: &Path) -> RunDirectory {
    let pretraining = Pretraining::new(config)
        .unwrap()
        .with_trainer(|trainer| trainer.with_progress(Progress::Silent).with_directory(path));
    pretraining.run(data, &Device::flex()).unwrap();
    RunDirectory::open(path).unwrap()
}
