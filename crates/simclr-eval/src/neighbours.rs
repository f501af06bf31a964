//! Exact nearest neighbours by cosine, block by block.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::error::EvalError;
use crate::features::Features;

/// Queries compared with a tile of the training set at a time, and rows of such a tile: 16 MiB of similarities,
/// in products that are large enough to run at full speed.
const QUERY_BLOCK: usize = 1024;
const BANK_TILE: usize = 4096;

/// Similarities that are compared with the threshold at once.
const LANE: usize = 32;

/// Candidates beyond k that are collected before the farthest are dropped.
const SLACK: usize = 256;

/// A row of the training set, and how like a query it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The cosine of the two feature vectors, in -1..=1 but for rounding.
    pub cosine: f32,
    /// The row of the training set, from 0.
    pub row: u32,
}

/// The `k` rows of `train` with the highest cosine to each query, the nearest first; all of a training set that
/// has fewer. Of equally near rows the earlier ones count, and come first.
///
/// Exact, and bounded in memory: see [`Knn`](crate::Knn), whose vote these are.
///
/// # Errors
///
/// [`EvalError::NoImages`] or [`EvalError::NotFinite`] for features that cannot be compared,
/// [`EvalError::FeatureSize`] if the two sets' features differ in length, and [`EvalError::Device`].
///
/// ```
/// use burn::tensor::Device;
/// use simclr_eval::{Features, nearest_neighbours};
///
/// let train = Features::new(vec![1.0, 0.0, 0.6, 0.8, 0.0, 2.0], 2);
/// let query = Features::new(vec![0.0, 1.0], 2);
/// let nearest = nearest_neighbours(&train, &query, 2, &Device::flex())?;
/// assert_eq!(nearest[0].iter().map(|n| n.row).collect::<Vec<_>>(), [2, 1]);
/// assert!((nearest[0][1].cosine - 0.8).abs() < 1e-6);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
pub fn nearest_neighbours(
    train: &Features,
    queries: &Features,
    k: usize,
    device: &Device,
) -> Result<Vec<Vec<Neighbour>>, EvalError> {
    train.check("train")?;
    queries.check("queries")?;
    let (expected, found) = (train.size(), queries.size());
    if expected != found {
        return Err(EvalError::FeatureSize { expected, found });
    }
    if k == 0 {
        return Ok(vec![Vec::new(); queries.len()]);
    }
    Bank::new(train, device).nearest(queries, k, |nearest| {
        let mut nearest = nearest.to_vec();
        nearest.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
        nearest
    })
}

/// Feature vectors to search, as unit vectors on the device.
pub(crate) struct Bank {
    /// `[features, tile]` each.
    tiles: Vec<Tensor<2>>,
    device: Device,
}

impl Bank {
    pub(crate) fn new(features: &Features, device: &Device) -> Self {
        let tile = |start: usize| {
            let end = (start + BANK_TILE).min(features.len());
            features.unit_rows(start, end, device).transpose()
        };
        let tiles = (0..features.len()).step_by(BANK_TILE).map(tile).collect();
        Self { tiles, device: device.clone() }
    }

    /// Calls `each` with the `k` nearest rows to each query, or all if there are fewer, in the order of
    /// the training set; among equally near rows the earlier ones count. Returns what `each` does, in the order of
    /// the queries.
    ///
    /// Exact: every query is compared with every row, but no more than a block of the similarities exists
    /// at a time. The result does not depend on the number of threads.
    pub(crate) fn nearest<T: Send>(
        &self,
        queries: &Features,
        k: usize,
        each: impl Fn(&[Neighbour]) -> T + Sync,
    ) -> Result<Vec<T>, EvalError> {
        let mut found = Vec::with_capacity(queries.len());
        for start in (0..queries.len()).step_by(QUERY_BLOCK) {
            let end = (start + QUERY_BLOCK).min(queries.len());
            let block = queries.unit_rows(start, end, &self.device);
            let mut nearest: Vec<Nearest> = (start..end).map(|_| Nearest::new(k)).collect();
            let mut first = 0;
            for tile in &self.tiles {
                let columns = tile.dims()[1];
                // Read in place: a copy would cost a fifth of the product.
                let cosines = block
                    .clone()
                    .matmul(tile.clone()) // [block, tile]
                    .try_into_data_as::<f32>()
                    .map_err(|error| EvalError::Device(format!("{error:?}")))?;
                let cosines = cosines
                    .as_slice::<f32>()
                    .map_err(|error| EvalError::Device(format!("{error:?}")))?;
                let rows = cosines.par_chunks(columns);
                nearest
                    .par_iter_mut()
                    .zip(rows)
                    .for_each(|(nearest, row)| nearest.offer(row, first));
                first += columns as u32;
            }
            found.par_extend(nearest.into_par_iter().map(|nearest| each(&nearest.finish())));
        }
        Ok(found)
    }
}

/// The nearest rows so far: at least k of them, and all that may still be among the k nearest.
struct Nearest {
    k: usize,
    candidates: Vec<Neighbour>,
    /// Rows that are not nearer than this can't be among the nearest: k earlier ones are as near.
    threshold: f32,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self { k, candidates: Vec::new(), threshold: f32::NEG_INFINITY }
    }

    /// Looks at the cosines of the rows from `first` on.
    fn offer(&mut self, cosines: &[f32], first: u32) {
        for (lane, first) in cosines.chunks(LANE).zip((first..).step_by(LANE)) {
            // Most lanes hold nothing near. A maximum needs no branch for each value.
            let nearest = lane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            if nearest > self.threshold {
                let near = lane.iter().zip(first..).filter(|(cosine, _)| **cosine > self.threshold);
                self.candidates.extend(near.map(|(&cosine, row)| Neighbour { cosine, row }));
                if self.candidates.len() >= self.k.saturating_add(SLACK.max(self.k)) {
                    self.drop_the_farthest();
                }
            }
        }
    }

    fn drop_the_farthest(&mut self) {
        let nearer =
            |a: &Neighbour, b: &Neighbour| b.cosine.total_cmp(&a.cosine).then(a.row.cmp(&b.row));
        let (_, last, _) = self.candidates.select_nth_unstable_by(self.k - 1, nearer);
        self.threshold = last.cosine;
        self.candidates.truncate(self.k);
    }

    fn finish(mut self) -> Vec<Neighbour> {
        if self.candidates.len() > self.k {
            self.drop_the_farthest();
        }
        self.candidates.sort_unstable_by_key(|neighbour| neighbour.row);
        self.candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_candidates_end_as_the_first_k_of_a_stable_sort(
            // Few distinct values: ties everywhere.
            cosines in prop::collection::vec(0_u8..20, 1..3000),
            k in 1_usize..400,
            cut in 1_usize..1000,
        ) {
            let cosines: Vec<f32> = cosines.into_iter().map(|c| f32::from(c) / 20.0 - 0.5).collect();
            let mut nearest = Nearest::new(k);
            for (start, part) in (0..).step_by(cut).zip(cosines.chunks(cut)) {
                nearest.offer(part, start);
            }
            let found: Vec<usize> = nearest.finish().iter().map(|n| n.row as usize).collect();

            let mut expected: Vec<usize> = (0..cosines.len()).collect();
            expected.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a]));
            expected.truncate(k);
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn neighbours_are_found_across_blocks_and_tiles() {
        // Unit vectors around a circle: the nearest of each query is the row of its own angle.
        let circle = |count: usize| {
            let point = |i: usize| {
                let angle = std::f64::consts::TAU * i as f64 / count as f64;
                [angle.cos() as f32, angle.sin() as f32]
            };
            Features::new((0..count).flat_map(point).collect(), 2)
        };
        let train = Bank::new(&circle(2 * BANK_TILE), &Device::flex());
        let queries = circle(QUERY_BLOCK + 24);
        let found = train.nearest(&queries, 1, |nearest| nearest[0].row).unwrap();
        for (i, row) in found.into_iter().enumerate() {
            let expected = (i * 2 * BANK_TILE) as f64 / queries.len() as f64;
            // Neighbouring angles have cosines of 1 - 3e-7: f32 may confuse a few.
            let off = (f64::from(row) - expected).abs();
            assert!(off.min(2.0 * BANK_TILE as f64 - off) < 4.0, "query {i}: row {row}");
        }
    }
}
