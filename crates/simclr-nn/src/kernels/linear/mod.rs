//! Fully connected layers.

mod layer;
mod weight_gradient;

pub(crate) use self::layer::{Activated, LinearLayer, PackedWeight, input_gradient};
pub(crate) use self::weight_gradient::{WeightGradients, weight_gradients};
