//! Batch normalisation with the residual sum and ReLU that follow it, in two sweeps over the values.

mod blocks;
mod forward;
mod gradient;
mod normalisation;
mod statistics;

pub(crate) use self::gradient::{ParameterGradients, Saved};
pub(crate) use self::normalisation::Normalisation;
pub(crate) use self::statistics::{Statistics, channel_sums, statistics};
