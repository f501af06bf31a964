//! Feature vectors on the host.

mod dot;
mod feature_source;
mod features;
mod labelled_features;
mod leading_directions;
mod unit;

pub(crate) use self::dot::dot;
pub use self::feature_source::FeatureSource;
pub use self::features::Features;
pub use self::labelled_features::{LabelledFeatures, labels_of};
pub(crate) use self::leading_directions::LeadingDirections;
pub(crate) use self::unit::unit;
