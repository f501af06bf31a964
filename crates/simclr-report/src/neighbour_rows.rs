//! Images beside those that the encoder finds most like them.

use burn::tensor::Device;
use simclr_augment::EvaluationTransform;
use simclr_embed::{Neighbour, nearest_neighbours};

use crate::draws::{Purpose, shuffled};
use crate::error::ReportError;
use crate::gallery::{Galleries, Gallery};
use crate::picture::Picture;
use crate::text::Text;

/// Queries, and neighbours of each.
const QUERIES: usize = 8;
const NEIGHBOURS: usize = 8;
/// Longest side of a picture in the page.
const SIDE: u32 = 88;

/// A query and its nearest neighbours, the nearest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NeighbourRow {
    pub(crate) query: Shown,
    pub(crate) neighbours: Vec<ShownNeighbour>,
}

/// An image with its names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) picture: Picture,
    pub(crate) name: Text,
    pub(crate) class: Option<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownNeighbour {
    pub(crate) image: Shown,
    pub(crate) cosine: f32,
    /// Whether it is of the query's class; `None` without labels.
    pub(crate) right: Option<bool>,
}

impl Shown {
    pub(crate) fn new(
        gallery: &Gallery,
        row: usize,
        transform: &EvaluationTransform,
    ) -> Result<Self, ReportError> {
        let seen = transform.view(&gallery.image(row)?)?;
        Ok(Self {
            picture: Picture::within(&seen, SIDE)?,
            name: gallery.name(row),
            class: gallery.class(row),
        })
    }
}

/// Some queries, of as many classes as there are, with their neighbours in the training set; without labels, some
/// images and their neighbours among all others.
pub(crate) fn neighbour_rows(
    galleries: &Galleries,
    transform: &EvaluationTransform,
    seed: u64,
    device: &Device,
) -> Result<Vec<NeighbourRow>, ReportError> {
    let (train, queries, among_themselves) = match galleries {
        Galleries::Labelled { train, test } => (train, test, false),
        Galleries::Unlabelled(images) => (images, images, true),
    };
    let rows = of_different_classes(queries, seed);
    let features = queries.features.select(&rows);
    let nearest = nearest_neighbours(
        &train.features,
        &features,
        NEIGHBOURS + usize::from(among_themselves),
        device,
    )?;

    let neighbour = |query: usize, found: &Neighbour| -> Result<ShownNeighbour, ReportError> {
        let row = found.row as usize;
        let labels = queries.label(query).zip(train.label(row));
        Ok(ShownNeighbour {
            image: Shown::new(train, row, transform)?,
            cosine: found.cosine,
            right: labels.filter(|_| !among_themselves).map(|(a, b)| a == b),
        })
    };
    let row = |(&query, nearest): (&usize, &Vec<Neighbour>)| {
        let others =
            nearest.iter().filter(|found| !among_themselves || found.row as usize != query);
        Ok(NeighbourRow {
            query: Shown::new(queries, query, transform)?,
            neighbours: others
                .take(NEIGHBOURS)
                .map(|found| neighbour(query, found))
                .collect::<Result<_, ReportError>>()?,
        })
    };
    rows.iter().zip(&nearest).map(row).collect()
}

/// Queries that the seed draws, the first of each class before any second.
fn of_different_classes(queries: &Gallery, seed: u64) -> Vec<usize> {
    let mut seen = vec![0_usize; queries.class_names().len()];
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(queries.len());
    for row in shuffled(queries.len(), seed, Purpose::SampleQueries) {
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
