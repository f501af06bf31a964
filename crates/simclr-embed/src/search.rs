//! Which images are most alike.

mod cosine_index;
mod image_index;
mod nearest;

pub use self::cosine_index::{CosineIndex, nearest_neighbours};
pub use self::image_index::ImageIndex;
pub use self::nearest::Neighbour;
