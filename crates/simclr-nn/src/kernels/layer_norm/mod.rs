//! Normalisation of each row by its own mean and variance (Ba et al. 2016).

mod forward;
mod gradient;

pub(crate) use self::forward::{RowStatistics, layer_norm};
pub(crate) use self::gradient::layer_norm_gradients;
