//! Views on a device, a whole batch at a time.

mod blur;
mod color;
mod device_augmentation;
mod per_view;
mod prepared_view;
mod resampling;
mod rotation;

pub use device_augmentation::DeviceAugmentation;
pub use prepared_view::PreparedView;
