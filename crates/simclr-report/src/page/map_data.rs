//! What the page's script knows of the map.

use serde::Serialize;

use crate::images::{EmbeddingMap, Point};
use crate::numbers::tenth;
use crate::text::Text;

/// What it takes to show the image under the pointer, and to move the points.
#[derive(Serialize)]
pub(super) struct MapData<'a> {
    tile: u32,
    columns: u32,
    classes: &'a [Text],
    points: Vec<PointData<'a>>,
}

#[derive(Serialize)]
struct PointData<'a> {
    pca: [f64; 2],
    tsne: [f64; 2],
    class: Option<usize>,
    name: &'a Text,
}

impl<'a> MapData<'a> {
    pub(super) fn new(map: &'a EmbeddingMap) -> Self {
        let point = |point: &'a Point| PointData {
            pca: point.pca.map(tenth),
            tsne: point.tsne.map(tenth),
            class: point.class,
            name: &point.name,
        };
        Self {
            tile: map.thumbnails.tile,
            columns: map.thumbnails.columns,
            classes: &map.classes,
            points: map.points.iter().map(point).collect(),
        }
    }
}
