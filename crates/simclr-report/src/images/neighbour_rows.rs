//! Images beside their nearest neighbours.

use simclr_embed::{Embedder, Neighbour, nearest_neighbours};

use crate::error::ReportError;
use crate::images::draws::{Purpose, shuffled};
use crate::images::gallery::{Galleries, Gallery};
use crate::images::shown::Shown;

/// Queries, and neighbours of each.
const QUERIES: usize = 8;
const NEIGHBOURS: usize = 8;

/// A query and its nearest neighbours, the nearest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NeighbourRow {
    pub(crate) query: Shown,
    pub(crate) neighbours: Vec<ShownNeighbour>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownNeighbour {
    pub(crate) image: Shown,
    pub(crate) cosine: f32,
    /// Whether it is of the query's class; `None` without labels.
    pub(crate) same_class: Option<bool>,
}

/// Some test images of as many classes as there are, with their neighbours in the training set; without labels, some
/// images with their neighbours among all others.
pub(crate) fn neighbour_rows(
    galleries: &Galleries,
    embedder: &Embedder,
    seed: u64,
) -> Result<Vec<NeighbourRow>, ReportError> {
    let (queries, index, labelled) = match galleries {
        Galleries::Labelled { train, test } => (test, train, true),
        Galleries::Unlabelled(images) => (images, images, false),
    };
    let rows = of_different_classes(queries, seed);
    // Without labels an image is in the index itself, and its own nearest neighbour.
    let count = NEIGHBOURS + usize::from(!labelled);
    let vectors = queries.features.select(&rows);
    let found = nearest_neighbours(&index.features, &vectors, count, embedder.device())?;
    let shown = |query: usize, found: Neighbour| -> Result<ShownNeighbour, ReportError> {
        let row = found.row as usize;
        let labels = queries.label(query).zip(index.label(row));
        Ok(ShownNeighbour {
            image: Shown::new(index, row, embedder.transform())?,
            cosine: found.cosine,
            same_class: labels.filter(|_| labelled).map(|(a, b)| a == b),
        })
    };
    let row = |(&query, found): (&usize, Vec<Neighbour>)| {
        let others = found.into_iter().filter(|found| labelled || found.row as usize != query);
        let neighbours = others.take(NEIGHBOURS).map(|found| shown(query, found));
        Ok(NeighbourRow {
            query: Shown::new(queries, query, embedder.transform())?,
            neighbours: neighbours.collect::<Result<_, ReportError>>()?,
        })
    };
    rows.iter().zip(found).map(row).collect()
}

/// Queries that the seed draws, the first of each class before any second.
fn of_different_classes(queries: &Gallery, seed: u64) -> Vec<usize> {
    let mut seen = vec![0_usize; queries.class_names().len()];
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(queries.len());
    for row in shuffled(queries.len(), seed, Purpose::NeighbourQueries) {
        let rank = match queries.label(row).and_then(|label| seen.get_mut(label)) {
            Some(seen) => {
                *seen += 1;
                *seen
            }
            None => 0,
        };
        ranked.push((rank, row));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(QUERIES).map(|(_, row)| row).collect()
}
