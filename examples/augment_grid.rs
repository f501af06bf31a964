//! What each step of an augmentation does, in one picture.
//!
//! ```text
//! cargo run --release --example augment_grid                              # the built-in sample
//! cargo run --release --example augment_grid -- --image PHOTO.jpg --preset stl10
//! ```
//!
//! Expect `augment_grid.png` and the names of its 15 rows: 13 steps, one at a time, and twice the whole
//! policy. A row begins with the image as it is; eight draws follow.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use image::{Rgb, RgbImage, imageops};
use simclr::augment::{
    AugmentationConfig, BlurConfig, ColorJitterConfig, CropConfig, ErasingConfig, JitterFlavor,
    RotationConfig, SimClrAugmentation, SolarizeConfig, ViewKey,
};
use simclr::data::{ImageDataset, Sample, SampleConfig, decode_image};

/// Draw what each augmentation step does to an image.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// A JPEG, PNG, WebP, BMP, GIF or TIFF file; without it, a picture of the built-in sample
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The whole policy: imagenet, cifar10 or stl10
    #[arg(long, value_name = "NAME", default_value = "imagenet", value_parser = preset)]
    preset: SimClrAugmentation,
    /// Width and height of a view in pixels
    #[arg(long, value_name = "N", default_value_t = 96)]
    size: u32,
    /// The picture's file
    #[arg(long, value_name = "FILE", default_value = "augment_grid.png")]
    out: PathBuf,
}

fn preset(name: &str) -> Result<SimClrAugmentation, String> {
    match name {
        "imagenet" => Ok(SimClrAugmentation::imagenet()),
        "cifar10" => Ok(SimClrAugmentation::cifar10()),
        "stl10" => Ok(SimClrAugmentation::stl10()),
        _ => Err("expected imagenet, cifar10 or stl10".to_owned()),
    }
}

/// Changes a policy that leaves every image as it is, given the whole policy.
type SwitchOn = fn(&mut AugmentationConfig, &AugmentationConfig);

/// The name of each row, and the step that it switches on.
const ROWS: [(&str, SwitchOn); 15] = [
    ("random resized crop", |row, whole| row.crop = whole.crop.clone()),
    ("left-right flip", |row, _| row.flip_probability = 0.5),
    ("brightness", |row, whole| row.color_jitter.brightness = whole.color_jitter.brightness),
    ("contrast", |row, whole| row.color_jitter.contrast = whole.color_jitter.contrast),
    ("saturation", |row, whole| row.color_jitter.saturation = whole.color_jitter.saturation),
    ("hue", |row, whole| row.color_jitter.hue = whole.color_jitter.hue),
    ("colour jitter, all four", |row, whole| row.color_jitter = always(&whole.color_jitter)),
    ("colour jitter as in google's code, v1", |row, whole| {
        row.color_jitter = always(&whole.color_jitter);
        row.color_jitter.flavor = JitterFlavor::GoogleV1;
    }),
    ("grayscale", |row, _| row.grayscale_probability = 1.0),
    ("Gaussian blur", |row, _| {
        row.blur = Some(BlurConfig { probability: 1.0, ..BlurConfig::PAPER });
    }),
    ("resized rotation (not in the paper)", |row, _| {
        row.rotation = Some(RotationConfig { probability: 1.0, degrees: [-90.0, 90.0] });
    }),
    ("solarisation (not in the paper)", |row, _| {
        row.solarize = Some(SolarizeConfig { probability: 1.0, threshold: 0.5 });
    }),
    ("erasing (not in the paper)", |row, _| {
        let (area, aspect) = ([0.02, 0.33], [0.3, 3.3]);
        row.erasing = Some(ErasingConfig { probability: 1.0, area, aspect });
    }),
    ("the whole policy", |row, whole| *row = whole.clone()),
    ("the whole policy", |row, whole| *row = whole.clone()),
];

fn always(jitter: &ColorJitterConfig) -> ColorJitterConfig {
    ColorJitterConfig { probability: 1.0, ..jitter.clone() }
}

/// The whole policy with every step switched off.
fn nothing(whole: &AugmentationConfig) -> AugmentationConfig {
    let (brightness, contrast, saturation, hue) = (0.0, 0.0, 0.0, 0.0);
    let jitter = always(&whole.color_jitter);
    AugmentationConfig {
        crop: CropConfig { area: [1.0, 1.0], aspect: [1.0, 1.0], ..whole.crop.clone() },
        flip_probability: 0.0,
        color_jitter: ColorJitterConfig { brightness, contrast, saturation, hue, ..jitter },
        grayscale_probability: 0.0,
        blur: None,
        ..whole.clone()
    }
}

fn main() -> Result<()> {
    let Options { image, preset, size, out } = Options::parse();
    let image = if let Some(path) = image {
        decode_image(&path)?
    } else {
        let config = SampleConfig { images: 6, size: 2 * size, ..SampleConfig::default() };
        Sample::new(config)?.image(5)?
    };
    let whole = preset.with_size(size)?.config().clone();

    let (views, gap) = (8, 4);
    let length = |pictures: u32| pictures * (size + gap) + gap;
    let mut grid =
        RgbImage::from_pixel(length(1 + views), length(ROWS.len() as u32), Rgb([255; 3]));
    for (row, (name, switch_on)) in (0..).zip(ROWS) {
        println!("row {}: {name}", row + 1);
        let mut config = nothing(&whole);
        switch_on(&mut config, &whole);
        for column in 0..=views {
            config.whole_images = column == 0;
            let policy = SimClrAugmentation::new(config.clone())?;
            let key = ViewKey { seed: 0, pass: 0, index: row.into(), view: column.into() };
            let params = policy.draw(key, image.width(), image.height());
            let view = policy.view(&image, &params)?;
            imageops::replace(&mut grid, &view, length(column).into(), length(row).into());
        }
    }
    grid.save(&out).with_context(|| format!("cannot write {}", out.display()))?;
    println!("written to {}", out.display());
    Ok(())
}
