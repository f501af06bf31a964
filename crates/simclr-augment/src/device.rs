//! Views on a device, a whole batch at a time.

#[cfg(feature = "cube")]
mod cube;
mod device_augmentation;
mod packed_views;
mod prepared_view;
mod table;
mod tensor_ops;

pub use device_augmentation::DeviceAugmentation;
pub use prepared_view::PreparedView;
