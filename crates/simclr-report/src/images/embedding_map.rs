//! Images as points in the plane, similar ones near each other.

use simclr_augment::EvaluationTransform;
use simclr_embed::{Embedder, NeighbourGraph, PrincipalComponents, Tsne};

use crate::error::ReportError;
use crate::images::draws::{Purpose, generator, some_of};
use crate::images::gallery::Gallery;
use crate::images::sprite_sheet::SpriteSheet;
use crate::report_config::ReportConfig;
use crate::text::Text;

/// Side of the map, and the margin at each edge.
pub(crate) const SIDE: f64 = 640.0;
const MARGIN: f64 = 16.0;
/// Side of a thumbnail in pixels.
const TILE: u32 = 48;

/// Two maps of the same images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmbeddingMap {
    pub(crate) points: Vec<Point>,
    /// Whether there is a map by t-SNE, which needs at least four points.
    pub(crate) has_tsne: bool,
    /// The share of the variance along each axis of the map by PCA, in 0..=1.
    pub(crate) explained: [f64; 2],
    pub(crate) thumbnails: SpriteSheet,
    /// Names of the classes, in the order of the labels; empty without labels.
    pub(crate) classes: Vec<Text>,
}

/// An image of the map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// Coordinates in 0..=640; the second one grows downwards.
    pub(crate) pca: [f64; 2],
    /// The same as `pca` without t-SNE.
    pub(crate) tsne: [f64; 2],
    pub(crate) class: Option<usize>,
    pub(crate) name: Text,
}

impl EmbeddingMap {
    /// A map of some of the gallery's images, which `embedder` has embedded.
    pub(crate) fn new(
        gallery: &Gallery,
        embedder: &Embedder,
        config: &ReportConfig,
    ) -> Result<Self, ReportError> {
        let rows = some_of(gallery.len(), config.map_points, config.seed, Purpose::MapPoints);
        let features = gallery.features.select(&rows);
        let mut random = generator(config.seed, Purpose::MapStart);
        let components = PrincipalComponents::new(&features, &mut random)?;

        let has_tsne = rows.len() >= Tsne::FEWEST_POINTS;
        let pca = on_the_map(&components.places);
        let tsne = if has_tsne {
            let tsne = Tsne { seed: config.seed, ..Tsne::default() };
            let device = embedder.device();
            let graph = NeighbourGraph::new(&features, tsne.neighbours, config.seed, device)?;
            let places = tsne.places(&graph, &components.places)?;
            on_the_map(&places.iter().map(|place| place.map(f64::from)).collect::<Vec<_>>())
        } else {
            pca.clone()
        };
        let point = |(&row, (pca, tsne)): (&usize, (&[f64; 2], &[f64; 2]))| Point {
            pca: *pca,
            tsne: *tsne,
            class: gallery.label(row),
            name: gallery.name(row),
        };
        Ok(Self {
            points: rows.iter().zip(pca.iter().zip(&tsne)).map(point).collect(),
            has_tsne,
            explained: components.explained,
            thumbnails: thumbnails(gallery, &rows, embedder.transform())?,
            classes: gallery.class_names().iter().map(Text::new).collect(),
        })
    }
}

/// Places in the map: both axes are scaled alike, and up is up.
fn on_the_map(places: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let range = |axis: usize| {
        let values = || places.iter().map(|place| place[axis]);
        [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
    };
    let [x, y] = [range(0), range(1)];
    let extent = (x[1] - x[0]).max(y[1] - y[0]);
    let scale = if extent > 0.0 { (SIDE - 2.0 * MARGIN) / extent } else { 0.0 };
    let centred = |value: f64, range: [f64; 2]| (value - f64::midpoint(range[0], range[1])) * scale;
    places
        .iter()
        .map(|place| [SIDE / 2.0 + centred(place[0], x), SIDE / 2.0 - centred(place[1], y)])
        .collect()
}

/// The images as the encoder sees them, small.
fn thumbnails(
    gallery: &Gallery,
    rows: &[usize],
    transform: &EvaluationTransform,
) -> Result<SpriteSheet, ReportError> {
    let tile = TILE.min(transform.size());
    SpriteSheet::new(&gallery.views(rows, &transform.with_size(tile)?)?, tile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_the_map_without_distortion() {
        let places = on_the_map(&[[-1.0, 0.0], [3.0, 0.0], [1.0, 1.0]]);
        assert_eq!(places, vec![[16.0, 396.0], [624.0, 396.0], [320.0, 244.0]]);
        assert_eq!(on_the_map(&[[5.0, 5.0]; 2]), [[320.0; 2]; 2]);
    }
}
