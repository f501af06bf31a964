//! Fully connected layers.

mod layer;
mod weight_gradient;

pub(crate) use self::layer::{Activated, LinearLayer};
pub(crate) use self::weight_gradient::{WeightGradients, weight_gradients};
