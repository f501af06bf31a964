//! Images that are copies of others: candidates by vectors, confirmed by pixels that are laid over each other.

mod alignment;
mod components;
mod correlation;
mod descriptor;
mod duplicate_group;
mod duplicate_search;
mod fingerprint;
mod fingerprinting;
mod likeness;
mod pixel_checksum;
mod placement;
mod pyramid;
mod starts;

pub use self::duplicate_group::{Duplicate, DuplicateGroup, Relation};
pub use self::duplicate_search::DuplicateSearch;
pub use self::fingerprint::Fingerprint;
pub use self::fingerprinting::Fingerprinting;
pub use self::pixel_checksum::pixel_checksum;
