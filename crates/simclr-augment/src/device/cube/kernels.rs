//! The kernels. A unit has one pixel of one view, in `[n, y, x, 3]`.

mod blur;
mod color;
mod place;
mod recoloring;
mod resampling;
mod sample;
mod sums;

pub(super) use self::blur::{blur_rows, finish};
pub(super) use self::place::PlacesLaunch;
pub(super) use self::recoloring::recolor;
pub(super) use self::resampling::resample;
