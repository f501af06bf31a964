//! Where the images lie on the map.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use simclr_embed::{Features, PrincipalComponents, Tsne, UnitVectors};

/// Images up to which all pairs are compared.
const MOST_COMPARED: usize = 2500;
/// How far images move apart before t-SNE starts, as a share of the largest coordinate: equal vectors would never part.
const NOISE: f64 = 1e-3;

/// A place for each vector, in no particular units.
pub(crate) fn map_positions(features: &Features, seed: u64) -> Vec<[f64; 2]> {
    let vectors = UnitVectors::new(features);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let components = PrincipalComponents::new(&vectors, &mut random);
    if !(Tsne::FEWEST_POINTS..=MOST_COMPARED).contains(&features.len()) {
        return components.places;
    }
    let largest = components.places.iter().flatten().fold(0.0, |l: f64, x| l.max(x.abs()));
    let noise = if largest > 0.0 { NOISE * largest } else { NOISE };
    let start: Vec<[f64; 2]> = components
        .places
        .iter()
        .map(|place| place.map(|x| x + noise * random.random_range(-1.0..1.0)))
        .collect();
    Tsne::new(&vectors).places(&start)
}
