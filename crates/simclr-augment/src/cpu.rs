//! Views on the CPU, one image at a time.

mod color_jitter;
mod color_op;
mod gaussian_blur;
mod planes;
mod renderer;
mod resampler;
mod rotation;
mod view_step;

pub use planes::Planes;
pub(crate) use renderer::Output;
#[cfg(feature = "device")]
pub(crate) use resampler::{Resampler, Resampling};
pub use view_step::ViewStep;
