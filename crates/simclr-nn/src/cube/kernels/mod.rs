//! The kernels.
//!
//! Those of a normalisation with the statistics of the batch read the values twice and write them once forwards, and do
//! the same order of work backwards. They read a matrix of pixels and channels, in vectors of channels, and are launched
//! on a [`Grid`](super::grid::Grid). Sums are in f32, whatever the values are.

mod averaging;
mod gradient_sums;
mod input_gradient;
mod moments;
mod normalise;
mod pack;
mod passing;

pub(super) use self::averaging::averaged_statistics;
pub(super) use self::gradient_sums::{joined_sums, sums_of_blocks};
pub(super) use self::input_gradient::gradient_of_input;
pub(super) use self::moments::{joined_moments, moments_of_blocks};
pub(super) use self::normalise::normalised_values;
pub(super) use self::pack::packed_vectors;
