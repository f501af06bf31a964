//! The nearest neighbours of every vector of a set.

use burn::tensor::Device;
use simclr_range::OutOfRange;

use super::cosine_index::CosineIndex;
use super::nearest::Neighbour;
use super::nn_descent::nn_descent;
use crate::error::EmbedError;
use crate::vectors::Features;

/// The `k` nearest others of every vector of a set, by cosine.
///
/// Sets of fewer than [`EXACT_BELOW`](Self::EXACT_BELOW) vectors are searched exactly, on a device. In larger ones, where n² comparisons would take minutes,
/// neighbours of neighbours are compared until they stop getting nearer (NN-descent: Dong, Moses and Li 2011), on the host: a few neighbours in a hundred may be
/// missed ([`docs/curate.md`](https://docs.rs/crate/simclr/latest/source/docs/curate.md) has the recall). The graph is the same for a seed, on any number of threads.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, NeighbourGraph};
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0], 2);
/// let graph = NeighbourGraph::new(&features, 1, 0, &Device::flex())?;
/// assert_eq!((graph.len(), graph.of(0)[0].row, graph.of(2)[0].row), (3, 1, 1));
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NeighbourGraph {
    /// `[len, k]`.
    neighbours: Vec<Neighbour>,
    len: usize,
    k: usize,
}

impl NeighbourGraph {
    /// Sets of fewer vectors are searched exactly.
    pub const EXACT_BELOW: usize = 20_000;

    /// The graph of `features`, at least one vector; `k` is at least 1. Fewer neighbours are there only if there are fewer others.
    ///
    /// # Errors
    ///
    /// [`EmbedError::OutOfRange`] for a `k` of 0; [`EmbedError::NoImages`] and [`EmbedError::NotFinite`] for features that cannot be compared;
    /// [`EmbedError::Device`].
    pub fn new(
        features: &Features,
        k: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, EmbedError> {
        OutOfRange::unless(k > 0, "k", "at least 1", k)?;
        features.check("set")?;
        let len = features.len();
        let k = k.min(len - 1);
        let neighbours = if len < Self::EXACT_BELOW {
            exact(features, k, device)?
        } else {
            nn_descent(features, k, seed)
        };
        Ok(Self { neighbours, len, k })
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no vectors: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Neighbours of each vector.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The graph of the k nearest alone, at most as many as there are.
    #[must_use]
    pub fn nearest(&self, k: usize) -> Self {
        let k = k.min(self.k);
        let rows = (0..self.len).flat_map(|row| &self.of(row)[..k]);
        Self { neighbours: rows.copied().collect(), len: self.len, k }
    }

    /// The nearest others of vector `row`, the nearest first.
    ///
    /// # Panics
    ///
    /// If there is no such vector.
    #[must_use]
    pub fn of(&self, row: usize) -> &[Neighbour] {
        assert!(row < self.len, "expected a row below {}, found {row}", self.len);
        &self.neighbours[row * self.k..][..self.k]
    }
}

/// Compares all with all.
fn exact(features: &Features, k: usize, device: &Device) -> Result<Vec<Neighbour>, EmbedError> {
    let mut neighbours = Vec::with_capacity(features.len() * k);
    let nearest = CosineIndex::new(features, device)?.nearest(features, k + 1)?;
    for (row, nearest) in nearest.into_iter().enumerate() {
        // Of many equal vectors, a vector may not be among its own nearest.
        let others = nearest.into_iter().filter(|near| near.row as usize != row);
        neighbours.extend(others.take(k));
    }
    Ok(neighbours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_vectors_have_each_other_and_never_themselves() {
        let features = Features::new([[1.0, 0.0]; 5].concat(), 2);
        let graph = NeighbourGraph::new(&features, 2, 0, &Device::flex()).unwrap();
        for row in 0..5 {
            assert_eq!(graph.of(row).len(), 2);
            assert!(graph.of(row).iter().all(|near| near.row as usize != row));
        }
    }

    #[test]
    fn the_nearest_of_more_neighbours_are_those_of_a_smaller_graph() {
        let vectors = (0..12).flat_map(|row| [(row as f32).sin(), (row as f32 / 2.0).cos()]);
        let features = Features::new(vectors.collect(), 2);
        let graph = |k| NeighbourGraph::new(&features, k, 0, &Device::flex()).unwrap();
        let fewer = graph(5).nearest(3);
        assert_eq!((fewer.k(), fewer.len()), (3, 12));
        assert!((0..12).all(|row| fewer.of(row) == graph(3).of(row)));
        assert_eq!(graph(3).nearest(9).k(), 3);
    }

    #[test]
    fn there_are_no_more_neighbours_than_others() {
        let features = Features::new(vec![1.0, 0.0, 0.0, 1.0], 2);
        let graph = NeighbourGraph::new(&features, 9, 0, &Device::flex()).unwrap();
        assert_eq!((graph.k(), graph.of(1)[0].row), (1, 0));
        let one = NeighbourGraph::new(&features.select(&[0]), 3, 0, &Device::flex()).unwrap();
        assert!(one.of(0).is_empty());
        let error = NeighbourGraph::new(&features, 0, 0, &Device::flex()).unwrap_err();
        assert_eq!(error.to_string(), "expected k to be at least 1, found 0");
    }
}
