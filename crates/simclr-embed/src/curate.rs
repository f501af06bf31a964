//! What is in a set of images, before any has a label: copies, odd ones, groups, and which to label first.

mod duplicates;
mod experimental_design;
mod group_count;
mod groups;
mod outliers;
mod spherical_k_means;
mod typical_images;

pub use self::duplicates::{
    Duplicate, DuplicateGroup, DuplicateSearch, Fingerprint, Fingerprinting, Relation,
    pixel_checksum,
};
pub use self::experimental_design::ExperimentalDesign;
pub use self::group_count::{GroupCount, group_count};
pub use self::groups::Groups;
pub use self::outliers::outlier_scores;
pub use self::spherical_k_means::SphericalKMeans;
pub use self::typical_images::typical_images;
