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
mod placement;
mod pyramid;

pub use self::duplicate_group::{Duplicate, DuplicateGroup, Relation};
pub use self::duplicate_search::DuplicateSearch;
pub use self::fingerprint::Fingerprint;
pub use self::fingerprinting::Fingerprinting;
