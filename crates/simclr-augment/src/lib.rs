//! SimCLR's image augmentation: one image and a key in, one view out.
//!
//! SimCLR learns by telling which two views come from the same image, so the views decide what is
//! learnt. This crate makes them in two separate acts:
//!
//! 1. *Draw.* [`SimClrAugmentation::draw`] turns a [`ViewKey`] (seed, epoch, image index, view)
//!    into [`ViewParams`]: a crop box, a flip, colour factors and their order, grayscale or not, a
//!    blur. It is a pure function, so a view does not depend on the number of workers, on the order
//!    of the images, or on whether the run was resumed.
//! 2. *Apply.* [`SimClrAugmentation::view_into`] makes the view. The parameters are plain data:
//!    they can be printed, saved, and replayed, and two implementations given the same parameters
//!    can be compared pixel by pixel.
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
//! | step | how often | what is drawn | fields |
//! |---|---|---|---|
//! | random resized crop | always | area, aspect ratio, place | [`CropConfig`], [`CropBox`] |
//! | left-right flip | 0.5 | | `flip_probability` |
//! | colour jitter | 0.8 | three factors, a hue, the order of the four | [`ColorJitterConfig`], [`JitterParams`] |
//! | grayscale | 0.2 | | `grayscale_probability` |
//! | Gaussian blur | 0.5 | sigma | [`BlurConfig`] |
//! | normalisation | always | | [`Normalization`] |
//!
//! Not in the paper, and off unless they are asked for: vertical flip and resized rotation
//! ([`RotationConfig`]) after the flip; solarisation ([`SolarizeConfig`]), random erasing
//! ([`ErasingConfig`]) and steps of your own ([`ViewStep`]) after the blur.
//!
//! The frequencies are the paper's. Where reference implementations differ, a field says whose way is
//! taken: [`JitterFlavor`], [`ResizeFilter`], the attempts of [`CropConfig`]. The presets [`imagenet`](SimClrAugmentation::imagenet),
//! [`cifar10`](SimClrAugmentation::cifar10) and [`stl10`](SimClrAugmentation::stl10) say what each
//! takes from where; an [`AugmentationConfig`] holds every number and is checked once, by
//! [`SimClrAugmentation::new`].
//!
//! # Precision
//!
//! Everything runs in single precision without rounding in between, in the same order on every
//! processor, so that all of them give the same bits. For the same parameters, a view is within 1/255
//! of torchvision's functional operations on u8 images for crops, where torchvision rounds twice, and
//! within 0.2/255 on float images for everything else, most of which is torchvision's gray weight of
//! 0.2989 for red, here 0.299.
//!
//! # On a device
//!
//! With the feature `device`, `DeviceAugmentation` makes the views of a whole batch with Burn's tensor
//! operations, from the same parameters and to the same values.
//!
//! # Evaluation
//!
//! Nothing is random when features are compared: [`SimClrAugmentation::evaluation`] gives the
//! [`EvaluationTransform`] with the policy's size and normalisation.

#![expect(
    clippy::inline_always,
    reason = "a kernel is compiled for each kind of vector, and what it calls has to be inlined into it"
)]

mod augmentation_config;
mod axis_weights;
mod blur_config;
mod color_jitter;
mod color_jitter_config;
mod color_op;
mod crop_box;
mod crop_config;
#[cfg(feature = "device")]
mod device_augmentation;
mod draws;
mod erasing_config;
mod error;
mod evaluation_transform;
mod gaussian_blur;
mod jitter_params;
mod normalization;
mod planes;
mod renderer;
mod resampler;
mod resize_filter;
mod rotation;
mod rotation_config;
mod simclr_augmentation;
mod solarize_config;
mod view_key;
mod view_params;
mod view_step;

pub use augmentation_config::AugmentationConfig;
pub use blur_config::BlurConfig;
pub use color_jitter_config::ColorJitterConfig;
pub use crop_box::CropBox;
pub use crop_config::CropConfig;
#[cfg(feature = "device")]
pub use device_augmentation::{DeviceAugmentation, PreparedView};
pub use draws::Draws;
pub use erasing_config::ErasingConfig;
pub use error::AugmentationError;
pub use evaluation_transform::EvaluationTransform;
pub use jitter_params::{JitterFlavor, JitterParams, JitterStep};
pub use normalization::Normalization;
pub use planes::Planes;
pub use resize_filter::ResizeFilter;
pub use rotation_config::RotationConfig;
pub use simclr_augmentation::SimClrAugmentation;
pub use solarize_config::SolarizeConfig;
pub use view_key::ViewKey;
pub use view_params::ViewParams;
pub use view_step::ViewStep;
