//! How far images are from others.

use crate::search::NeighbourGraph;

/// How odd each image is: the mean distance, 1 - cosine, to its nearest others, in 0..=2. Without others it is 0.
///
/// It is the weight of Angiulli and Pizzuti (2002), a mean instead of a sum: a few copies don't make an odd image a usual one, as long as they are fewer than
/// the graph's k. On feature vectors of a self-supervised encoder, the distance to nearest neighbours finds images of other kinds as well as
/// density models do (Sun et al. 2022).
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, NeighbourGraph, outlier_scores};
///
/// let features = [[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [0.0, 1.0]];
/// let features = Features::new(features.concat(), 2);
/// let graph = NeighbourGraph::new(&features, 2, 0, &Device::flex())?;
/// let scores = outlier_scores(&graph);
/// assert!(scores[3] > 0.9 && scores[..3].iter().all(|&score| score < 0.02));
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[must_use]
pub fn outlier_scores(graph: &NeighbourGraph) -> Vec<f32> {
    let score = |row| {
        let near = graph.of(row);
        let sum: f32 = near.iter().map(|near| (1.0 - near.cosine).max(0.0)).sum();
        sum / near.len().max(1) as f32
    };
    (0..graph.len()).map(score).collect()
}
