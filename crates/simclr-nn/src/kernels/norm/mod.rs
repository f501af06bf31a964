//! Batch normalisation with the residual sum and the activation that follow it, in two sweeps over the values.

mod blocks;
mod forward;
mod function;
mod gradient;
mod normalisation;
mod statistics;

pub(super) use self::blocks::{block, folded, zeros};
pub(crate) use self::gradient::{ParameterGradients, Saved};
pub(crate) use self::normalisation::Normalisation;
pub(crate) use self::statistics::{Statistics, channel_sums, statistics};
