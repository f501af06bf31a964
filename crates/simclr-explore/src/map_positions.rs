//! Where the images lie on the map.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use simclr_embed::{Features, NeighbourGraph, PrincipalComponents, Tsne};

use crate::error::ExploreError;

/// A place for each vector, in no particular units, by its nearest neighbours in `graph`.
///
/// # Errors
///
/// [`ExploreError::Embed`] for features that are not finite.
pub(crate) fn map_positions(
    features: &Features,
    graph: &NeighbourGraph,
    seed: u64,
) -> Result<Vec<[f64; 2]>, ExploreError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let components = PrincipalComponents::new(features, &mut random)?;
    if features.len() < Tsne::FEWEST_POINTS {
        return Ok(components.places);
    }
    let places = Tsne { seed, ..Tsne::default() }.places(graph, &components.places)?;
    Ok(places.into_iter().map(|place| place.map(f64::from)).collect())
}
