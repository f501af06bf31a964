//! What is drawn for a view: its key, the random numbers that follow from it, the parameters.

mod crop_box;
mod draws;
mod jitter_params;
mod padded_window;
mod padding_fill;
mod view_key;
mod view_params;

pub use crop_box::CropBox;
pub use draws::Draws;
pub(crate) use draws::Step;
pub use jitter_params::{JitterFlavor, JitterParams, JitterStep};
pub use padded_window::PaddedWindow;
pub use padding_fill::PaddingFill;
pub use view_key::ViewKey;
pub(crate) use view_params::SMALLEST_SIGMA;
pub use view_params::ViewParams;
