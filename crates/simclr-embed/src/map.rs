//! Vectors as points of the plane, alike ones near each other.

mod affinities;
mod fourier;
mod motion;
mod principal_components;
mod repulsion;
mod tsne;

pub use self::principal_components::PrincipalComponents;
pub use self::tsne::Tsne;
