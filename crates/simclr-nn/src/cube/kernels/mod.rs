//! The kernels.
//!
//! Those of a normalisation with the statistics of the batch read the values twice and write them once forwards, and do
//! the same order of work backwards. They read a matrix of pixels and channels, in vectors of channels, and are launched
//! on a [`Grid`](super::grid::Grid). Sums are in f32, whatever the values are.

#![expect(
    clippy::used_underscore_binding,
    reason = "the argument that says which type F is has no other use"
)]

mod channels;
mod gradient_sums;
mod input_gradient;
mod moments;
mod normalise;
mod pack;
mod passing;
mod rows;

pub(super) use self::channels::ChannelsLaunch;
pub(super) use self::gradient_sums::{CutLaunch, SumsLaunch, joined_sums, sums_of_blocks};
pub(super) use self::input_gradient::{ParameterGradientsLaunch, gradient_of_input};
pub(super) use self::moments::{
    AveragingLaunch, MomentsLaunch, StatisticsLaunch, joined_moments, moments_of_blocks,
};
pub(super) use self::normalise::normalised_values;
pub(super) use self::pack::packed_vectors;
pub(super) use self::rows::RowsLaunch;
