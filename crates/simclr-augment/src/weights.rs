//! The numbers that the CPU and the device have in common, so that both make the same view.

mod axis;
mod axis_weights;
mod blur_kernel;
mod jitter_op;
mod turn;

pub(crate) use axis::Axis;
pub(crate) use axis_weights::AxisWeights;
pub(crate) use blur_kernel::set_blur_kernel;
pub(crate) use jitter_op::JitterOp;
pub(crate) use turn::Turn;

/// The weights of red, green and blue in a gray value (ITU-R BT.601).
pub(crate) const GRAY: [f32; 3] = [0.299, 0.587, 0.114];

/// The smallest divisor in place of a chroma of zero, on a device: less than any other chroma.
#[cfg(feature = "device")]
pub(crate) const SMALLEST_CHROMA: f32 = 1e-20;
