//! Images that are like some, and not like others.

use simclr_embed::{Features, Neighbour};

use crate::error::ExploreError;
use crate::exploration::Exploration;

/// The weight of what the images are to be unlike.
const AGAINST: f32 = 0.5;
/// The most images that are found.
const MOST: usize = 1000;

/// The `count` images nearest to the mean of the unit vectors `like`, less half the mean of `unlike` (Rocchio 1971), without the rows in `but`.
///
/// # Errors
///
/// [`ExploreError::OutOfRange`] without a vector to be like; [`ExploreError::Embed`] if the device fails.
pub(crate) fn alike(
    exploration: &Exploration,
    like: &[Vec<f32>],
    unlike: &[Vec<f32>],
    but: &[usize],
    count: usize,
) -> Result<Vec<Neighbour>, ExploreError> {
    use simclr_range::OutOfRange;

    OutOfRange::unless(!like.is_empty(), "like", "at least one image", "none")?;
    let size = exploration.features.size();
    let mut query = vec![0.0; size];
    for (vectors, weight) in [(like, 1.0), (unlike, -AGAINST)] {
        for vector in vectors {
            let weight = weight / vectors.len() as f32;
            query.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
        }
    }
    let count = count.min(MOST);
    let found = exploration.search.nearest(&Features::new(query, size), count + but.len())?;
    let others = found[0].iter().filter(|near| !but.contains(&(near.row as usize)));
    Ok(others.take(count).copied().collect())
}
