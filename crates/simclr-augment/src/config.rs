//! The settings of the policy, a config for each step.

mod augmentation_config;
mod blur_config;
mod color_jitter_config;
mod crop_config;
mod erasing_config;
mod fit;
mod ground;
mod normalization;
mod padded_crop_config;
mod resize_filter;
mod rotation_config;
pub(crate) mod rules;
mod solarize_config;

pub use augmentation_config::AugmentationConfig;
pub use blur_config::BlurConfig;
pub use color_jitter_config::ColorJitterConfig;
pub use crop_config::CropConfig;
pub use erasing_config::ErasingConfig;
pub use fit::Fit;
pub use ground::Ground;
pub use normalization::Normalization;
pub use padded_crop_config::PaddedCropConfig;
pub use resize_filter::ResizeFilter;
pub use rotation_config::RotationConfig;
pub use solarize_config::SolarizeConfig;
