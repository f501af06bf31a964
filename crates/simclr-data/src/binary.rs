//! Data sets in binary files of fixed-size records.

mod cifar10;
mod mapped_file;
mod planes;
mod stl10;
mod text_file;

pub use cifar10::{Cifar10, Cifar10Split};
pub use stl10::{Stl10, Stl10Split};
