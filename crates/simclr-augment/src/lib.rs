//! SimCLR's image augmentation: one image and a key in, one view out.
//!
//! A SimCLR encoder learns to tell which two views come from the same image, so the views decide what
//! it learns. This crate makes a view in two steps:
//!
//! 1. *Draw.* [`SimClrAugmentation::draw`] turns a [`ViewKey`] (seed, pass, image index, view) into
//!    [`ViewParams`]: a crop box, a flip, colour factors and their order, grayscale or not, a blur. It is
//!    a pure function, so that a view does not depend on the number of workers, on the order of the
//!    images, or on whether the run was resumed.
//! 2. *Apply.* [`SimClrAugmentation::view_into`] makes the view. The parameters are plain data: print
//!    them, save them, replay them, or give them to two implementations and compare the pixels.
//!
//! # From an image to a positive pair
//!
//! ```
//! use image::{Rgb, RgbImage};
//! use simclr_augment::{SimClrAugmentation, ViewKey};
//!
//! let image = RgbImage::from_fn(120, 90, |x, y| Rgb([2 * x as u8, 2 * y as u8, 80]));
//! let policy = SimClrAugmentation::stl10();
//!
//! // Room for two views of [3, 96, 96], normalised, channel by channel.
//! let mut pair = vec![0.0; 2 * policy.view_len()];
//! for (view, out) in pair.chunks_exact_mut(policy.view_len()).enumerate() {
//!     let key = ViewKey { seed: 42, pass: 0, index: 7, view: view as u64 };
//!     let params = policy.draw(key, image.width(), image.height());
//!     policy.view_into(&image, &params, out)?;
//! }
//!
//! let (a, b) = pair.split_at(policy.view_len());
//! assert_ne!(a, b);
//! assert!(pair.iter().all(|value| (-1.001..=1.001).contains(value)));
//! # Ok::<(), simclr_augment::AugmentationError>(())
//! ```
//!
//! # The steps, in order
//!
//! | step | probability | drawn | types and fields |
//! |---|---|---|---|
//! | random resized crop | 1 | area, aspect ratio, place | [`CropConfig`], [`CropBox`] |
//! | left-right flip | 0.5 | | `flip_probability` |
//! | colour jitter | 0.8 | three factors, a hue, the order of the four | [`ColorJitterConfig`], [`JitterParams`] |
//! | grayscale | 0.2 | | `grayscale_probability` |
//! | Gaussian blur | 0.5 | sigma | [`BlurConfig`] |
//! | normalisation | 1 | | [`Normalization`] |
//!
//! Not in the paper, and off by default: a padded crop ([`PaddedCropConfig`], [`PaddedWindow`]) instead
//! of the random resized one; vertical flip and resized rotation ([`RotationConfig`]) after
//! the flip; solarisation ([`SolarizeConfig`]), random erasing ([`ErasingConfig`]) and steps of your own
//! ([`ViewStep`]) after the blur.
//!
//! The probabilities are the paper's. Where reference implementations differ, a field names the one to
//! follow: [`JitterFlavor`], [`ResizeFilter`], the attempts of [`CropConfig`]. The presets
//! [`imagenet`](SimClrAugmentation::imagenet), [`cifar10`](SimClrAugmentation::cifar10) and
//! [`stl10`](SimClrAugmentation::stl10) name their sources. An [`AugmentationConfig`] holds every number;
//! [`SimClrAugmentation::new`] checks it once.
//!
//! # Precision
//!
//! Everything runs in single precision without rounding in between, in the same order on every
//! processor, so that all processors give the same bits. For the same parameters, a crop is within 1/255
//! of torchvision's functional operations on u8 images, which round twice. Everything else is within
//! 0.2/255 of those on float images; most of that is torchvision's gray weight for red, 0.2989 instead
//! of 0.299.
//!
//! # On a device
//!
//! With the feature `device`, `DeviceAugmentation` makes the views of a whole batch on a device of Burn, from the
//! same parameters and with the same values. With the feature `cube`, it has kernels for CubeCL's devices (CUDA,
//! Vulkan, Metal, WebGPU); everywhere else tensor operations do the work.
//!
//! # Evaluation
//!
//! Nothing is random when features are compared: [`SimClrAugmentation::evaluation`] gives the
//! [`EvaluationTransform`] with the policy's size, filter and normalisation.
//!
//! # Where to go next
//!
//! - Guide: [views](https://docs.rs/crate/simclr/latest/source/docs/views.md).
//! - Example: [`augment_grid`](https://docs.rs/crate/simclr/latest/source/examples/augment_grid.rs) shows the views of a
//!   photo.
//! - Beside it: [`simclr-data`](https://docs.rs/simclr-data) reads the images,
//!   [`simclr-train`](https://docs.rs/simclr-train) trains on the views, and [`simclr`](https://docs.rs/simclr) is all of
//!   it under one roof.

#![expect(
    clippy::inline_always,
    reason = "what isn't inlined into `with_simd` is compiled without the vector instructions"
)]

mod config;
mod cpu;
#[cfg(feature = "device")]
mod device;
mod draw;
mod error;
mod evaluation_transform;
mod presets;
mod simclr_augmentation;
mod weights;

pub use config::{
    AugmentationConfig, BlurConfig, ColorJitterConfig, CropConfig, ErasingConfig, Fit, Ground,
    Normalization, PaddedCropConfig, ResizeFilter, RotationConfig, SolarizeConfig,
};
pub use cpu::{Planes, ViewStep};
#[cfg(feature = "device")]
pub use device::{DeviceAugmentation, PreparedView};
pub use draw::{
    CropBox, Draws, JitterFlavor, JitterParams, JitterStep, PaddedWindow, PaddingFill, ViewKey,
    ViewParams,
};
pub use error::AugmentationError;
pub use evaluation_transform::EvaluationTransform;
pub use simclr_augmentation::SimClrAugmentation;
pub use simclr_range::OutOfRange;

/// The code of the crate's README is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
