//! The images of a report: embedded, drawn from, and made into pictures.

mod draws;
mod embedding_map;
mod gallery;
mod neighbour_rows;
mod part;
mod picture;
mod shown;
mod sprite_sheet;
mod view_rows;

pub(crate) use embedding_map::{EmbeddingMap, Point, SIDE};
pub(crate) use gallery::{Galleries, Gallery};
pub(crate) use neighbour_rows::{NeighbourRow, ShownNeighbour, neighbour_rows};
pub(crate) use part::{LabelledParts, Part};
pub(crate) use picture::Picture;
pub(crate) use shown::Shown;
pub(crate) use view_rows::{ViewRow, view_rows};
