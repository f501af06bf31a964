//! The same parameters give the same pixels as torchvision's functional operations.
//!
//! `golden/generate.py` made the expected values; `image` below repeats its formula.

use image::{Rgb, RgbImage};
use serde::Deserialize;
use simclr_augment::{Normalization, ResizeFilter, SimClrAugmentation, ViewParams};

#[derive(Deserialize)]
struct Golden {
    width: u32,
    height: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    size: u32,
    filter: ResizeFilter,
    params: ViewParams,
    /// The expected values are in units of 1 / `unit`.
    unit: f32,
    /// Channel by channel, row by row.
    values: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/torchvision.json")).unwrap()
}

fn image(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let channels = [7 * x + 3 * y, x * y, 255 + 11 * y + 256 - 4 * x];
        Rgb(channels.map(|value| (value % 256) as u8))
    })
}

/// The case's policy: an erased box is painted with ImageNet's mean.
fn policy(case: &Case) -> SimClrAugmentation {
    let mut config = SimClrAugmentation::imagenet().config().clone();
    config.size = case.size;
    config.crop.filter = case.filter;
    SimClrAugmentation::new(config).unwrap()
}

/// The case's view before its normalisation.
fn view(case: &Case, image: &RgbImage) -> Vec<f32> {
    let policy = policy(case);
    let mut view = vec![0.0; policy.view_len()];
    policy.view_into(image, &case.params, &mut view).unwrap();
    let Normalization { mean, std } = Normalization::IMAGENET;
    let area = view.len() / 3;
    for (index, value) in view.iter_mut().enumerate() {
        *value = *value * std[index / area] + mean[index / area];
    }
    view
}

/// The largest difference over a case, in `[0, 1]`.
fn largest_difference(case: &Case, image: &RgbImage) -> f32 {
    let view = view(case, image);
    assert_eq!(view.len(), case.values.len());
    let expected = case.values.iter().map(|value| value / case.unit);
    view.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max)
}

fn check(select: impl Fn(&str) -> bool, least_cases: usize, tolerance: f32) {
    let golden = golden();
    let image = image(golden.width, golden.height);
    let cases: Vec<_> = golden.cases.iter().filter(|case| select(&case.name)).collect();
    assert!(cases.len() >= least_cases, "only {} cases", cases.len());
    for case in cases {
        let difference = largest_difference(case, &image);
        println!("{}: {difference}", case.name);
        assert!(difference <= tolerance, "{}: {difference}", case.name);
    }
}

#[test]
fn crops_and_resizes_are_within_one_level_of_torchvision() {
    check(|name| name.starts_with("resize"), 29, 1.01 / 255.0);
}

/// A tenth of 2/255. Most of it is torchvision's gray weight for red (0.2989; here 0.299).
#[test]
fn colour_and_blur_are_within_a_fifth_of_a_level_of_torchvision() {
    check(|name| !name.starts_with("resize"), 20, 0.2 / 255.0);
}

#[test]
fn pictures_round_the_same_values() {
    let golden = golden();
    let image = image(golden.width, golden.height);
    for case in &golden.cases {
        let values = view(case, &image);
        let picture = policy(case).view(&image, &case.params).unwrap();
        let area = values.len() / 3;
        for (index, pixel) in picture.pixels().enumerate() {
            for channel in 0..3 {
                let value = 255.0 * values[channel * area + index];
                assert!((value - f32::from(pixel[channel])).abs() < 0.501, "{}", case.name);
            }
        }
    }
}
