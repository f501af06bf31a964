//! Which images are most alike.

mod cosine_index;
mod device_top_k;
mod image_index;
mod index_file;
mod nearest;
mod neighbour_graph;
mod nn_descent;

pub use self::cosine_index::{CosineIndex, nearest_neighbours};
pub use self::image_index::ImageIndex;
pub(crate) use self::index_file::write_index;
pub use self::nearest::Neighbour;
pub use self::neighbour_graph::NeighbourGraph;
