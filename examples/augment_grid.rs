//! What each step of an augmentation does: a picture with one row for each, and rows of whole views.
//!
//! ```sh
//! cargo run --release --example augment_grid                              # the built-in sample
//! cargo run --release --example augment_grid -- --image PHOTO.jpg --policy imagenet
//! ```
//!
//! It writes `augment_grid.png`, and prints which row is which. The first picture of a row is the
//! whole image; the others are eight draws.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use image::{Rgb, RgbImage, imageops};
use simclr::augment::{
    AugmentationConfig, BlurConfig, ColorJitterConfig, CropConfig, ErasingConfig, JitterFlavor,
    RotationConfig, SimClrAugmentation, SolarizeConfig, ViewKey,
};
use simclr::data::{ImageDataset, Sample, SampleConfig, decode_image};

/// Pictures in a row beside the first one.
const VIEWS: u64 = 8;
/// White pixels between pictures.
const GAP: u32 = 4;

/// Draw what each augmentation step does to an image.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// A JPEG, PNG or WebP file; without it, a picture of the built-in sample
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Which picture of the built-in sample
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "image")]
    sample: usize,
    /// imagenet, cifar10 or stl10
    #[arg(long, value_name = "NAME", default_value = "imagenet")]
    policy: String,
    /// Width and height of a view in pixels
    #[arg(long, value_name = "N", default_value_t = 96)]
    size: u32,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Where to write the picture
    #[arg(long, value_name = "FILE", default_value = "augment_grid.png")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let image = if let Some(path) = &options.image {
        decode_image(path)?
    } else {
        let images = options.sample + 1;
        let config = SampleConfig { images, size: 2 * options.size, ..SampleConfig::default() };
        Sample::new(config)?.image(options.sample)?
    };
    let policy = match options.policy.as_str() {
        "imagenet" => SimClrAugmentation::imagenet(),
        "cifar10" => SimClrAugmentation::cifar10(),
        "stl10" => SimClrAugmentation::stl10(),
        other => bail!("expected a policy out of imagenet, cifar10, stl10, found \"{other}\""),
    };
    let policy = policy.with_size(options.size)?;

    let rows = rows(policy.config());
    let mut grid = grid(rows.len() as u32, options.size);
    for (row, (name, config)) in rows.into_iter().enumerate() {
        println!("row {}: {name}", row + 1);
        let policy = SimClrAugmentation::new(config)?;
        let untouched = policy.clone().debug();
        for column in 0..=VIEWS {
            let policy = if column == 0 { &untouched } else { &policy };
            let key = ViewKey { seed: options.seed, pass: 0, index: row as u64, view: column };
            let params = policy.draw(key, image.width(), image.height());
            place(&mut grid, &policy.view(&image, &params)?, column as u32, row as u32);
        }
    }
    let path = options.out.display();
    grid.save(&options.out).with_context(|| format!("cannot write {path}"))?;
    println!("written to {path}");
    Ok(())
}

/// The names and policies of the rows: one step alone, each time it is drawn, then the whole.
fn rows(whole: &AugmentationConfig) -> Vec<(&'static str, AugmentationConfig)> {
    let nothing = AugmentationConfig {
        crop: CropConfig { area: [1.0, 1.0], aspect: [1.0, 1.0], ..whole.crop.clone() },
        flip_probability: 0.0,
        grayscale_probability: 0.0,
        blur: None,
        ..whole.clone()
    };
    let with = |change: &dyn Fn(&mut AugmentationConfig)| {
        let mut config = nothing.clone();
        config.color_jitter.probability = 0.0;
        change(&mut config);
        config
    };
    let jitter = |change: &dyn Fn(&mut AugmentationConfig)| {
        let mut config = nothing.clone();
        let jitter = &mut config.color_jitter;
        jitter.probability = 1.0;
        (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) = (0.0, 0.0, 0.0, 0.0);
        change(&mut config);
        config
    };
    let strength = whole.color_jitter.clone();
    vec![
        ("random resized crop", with(&|c| c.crop = whole.crop.clone())),
        ("left-right flip", with(&|c| c.flip_probability = 0.5)),
        ("brightness", jitter(&|c| c.color_jitter.brightness = strength.brightness)),
        ("contrast", jitter(&|c| c.color_jitter.contrast = strength.contrast)),
        ("saturation", jitter(&|c| c.color_jitter.saturation = strength.saturation)),
        ("hue", jitter(&|c| c.color_jitter.hue = strength.hue)),
        ("colour jitter, all four", jitter(&|c| c.color_jitter = always(&strength))),
        ("colour jitter as in google's code, v1", {
            jitter(&|c| {
                c.color_jitter = always(&strength);
                c.color_jitter.flavor = JitterFlavor::GoogleV1;
            })
        }),
        ("grayscale", with(&|c| c.grayscale_probability = 1.0)),
        (
            "Gaussian blur",
            with(&|c| c.blur = Some(BlurConfig { probability: 1.0, ..BlurConfig::PAPER })),
        ),
        ("resized rotation (not in the paper)", {
            with(&|c| {
                c.rotation = Some(RotationConfig { probability: 1.0, degrees: [-90.0, 90.0] });
            })
        }),
        ("solarisation (not in the paper)", {
            with(&|c| c.solarize = Some(SolarizeConfig { probability: 1.0, threshold: 0.5 }))
        }),
        ("erasing (not in the paper)", {
            with(&|c| {
                let (area, aspect) = ([0.02, 0.33], [0.3, 3.3]);
                c.erasing = Some(ErasingConfig { probability: 1.0, area, aspect });
            })
        }),
        ("the whole policy", whole.clone()),
        ("the whole policy", whole.clone()),
    ]
}

fn always(jitter: &ColorJitterConfig) -> ColorJitterConfig {
    ColorJitterConfig { probability: 1.0, ..jitter.clone() }
}

fn grid(rows: u32, size: u32) -> RgbImage {
    let length = |count: u32| count * (size + GAP) + GAP;
    RgbImage::from_pixel(length(VIEWS as u32 + 1), length(rows), Rgb([255; 3]))
}

fn place(grid: &mut RgbImage, picture: &RgbImage, column: u32, row: u32) {
    let start = |index: u32| i64::from(GAP + index * (picture.width() + GAP));
    imageops::replace(grid, picture, start(column), start(row));
}
