//! Exact nearest neighbours by cosine, block by block.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::device_top_k::{device_top_k, selects};
use super::nearest::{Nearest, Neighbour};
use crate::error::EmbedError;
use crate::vectors::{Features, unit};

/// Queries that are compared with a tile of the index at a time, and rows of such a tile: 16 MiB of
/// similarities, in products that are large enough to run at full speed.
const QUERY_BLOCK: usize = 1024;
const TILE_ROWS: usize = 4096;

/// Feature vectors to search, at length 1, on a device.
///
/// The search is exact and bounded in memory: every query is compared with every vector, but no more than a
/// block of the similarities (16 MiB) exists at a time. The result does not depend on the number of threads.
///
/// On the CPU the host selects the nearest out of each block, which it reads in place. A GPU keeps the k nearest itself, for
/// k up to 20, and hands out those alone.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{CosineIndex, Features};
///
/// let vectors = Features::new(vec![1.0, 0.0, 0.6, 0.8, 0.0, 2.0], 2);
/// let index = CosineIndex::new(&vectors, &Device::flex())?;
/// let nearest = index.nearest(&Features::new(vec![0.0, 1.0], 2), 2)?;
/// assert_eq!(nearest[0].iter().map(|n| n.row).collect::<Vec<_>>(), [2, 1]);
/// assert!((nearest[0][1].cosine - 0.8).abs() < 1e-6);
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug)]
pub struct CosineIndex {
    /// `[features, rows]` each.
    tiles: Vec<Tensor<2>>,
    size: usize,
    device: Device,
}

impl CosineIndex {
    /// An index of `features` on `device`.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] and [`EmbedError::NotFinite`] for features that cannot be compared.
    pub fn new(features: &Features, device: &Device) -> Result<Self, EmbedError> {
        features.check("index")?;
        let tile = |start: usize| {
            let end = (start + TILE_ROWS).min(features.len());
            unit_rows(features, start, end, device).transpose()
        };
        let tiles = (0..features.len()).step_by(TILE_ROWS).map(tile).collect();
        Ok(Self { tiles, size: features.size(), device: device.clone() })
    }

    /// The `k` vectors with the highest cosine to each query, the nearest first; all if the index has fewer.
    /// Of equally near ones the earlier ones count, and come first.
    ///
    /// # Errors
    ///
    /// Those of [`nearest_with`](Self::nearest_with).
    pub fn nearest(&self, queries: &Features, k: usize) -> Result<Vec<Vec<Neighbour>>, EmbedError> {
        self.nearest_with(queries, k, |nearest| {
            let mut nearest = nearest.to_vec();
            nearest.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
            nearest
        })
    }

    /// Calls `each` with the `k` nearest vectors to each query, **in the order of the index**, and returns what
    /// it returns, in the order of the queries. The neighbours of all queries are never held at once.
    ///
    /// # Errors
    ///
    /// [`EmbedError::FeatureSize`] for queries of another length, [`EmbedError::NoImages`] and
    /// [`EmbedError::NotFinite`] for queries that cannot be compared, [`EmbedError::Device`] if the device fails.
    pub fn nearest_with<T: Send>(
        &self,
        queries: &Features,
        k: usize,
        each: impl Fn(&[Neighbour]) -> T + Sync,
    ) -> Result<Vec<T>, EmbedError> {
        let (expected, found) = (self.size, queries.size());
        if expected != found {
            return Err(EmbedError::FeatureSize { expected, found });
        }
        queries.check("queries")?;
        if k == 0 {
            return Ok(queries.rows().map(|_| each(&[])).collect());
        }
        let mut results = Vec::with_capacity(queries.len());
        for start in (0..queries.len()).step_by(QUERY_BLOCK) {
            let end = (start + QUERY_BLOCK).min(queries.len());
            let block = unit_rows(queries, start, end, &self.device);
            if selects(&self.device, k) {
                let nearest = device_top_k(&block, &self.tiles, k)?;
                results.par_extend(nearest.par_iter().map(|nearest| each(nearest)));
            } else {
                let nearest = self.search(&block, k)?;
                results.par_extend(nearest.into_par_iter().map(|nearest| each(&nearest.finish())));
            }
        }
        Ok(results)
    }

    /// The nearest rows to each query of a block, `[queries, features]`, selected on the host.
    fn search(&self, block: &Tensor<2>, k: usize) -> Result<Vec<Nearest>, EmbedError> {
        let mut nearest: Vec<Nearest> = (0..block.dims()[0]).map(|_| Nearest::new(k)).collect();
        let mut first = 0;
        for tile in &self.tiles {
            let rows = tile.dims()[1];
            // Read in place: a copy would cost a fifth of the product.
            let cosines = block
                .clone()
                .matmul(tile.clone()) // [queries, rows]
                .try_into_data_as::<f32>()
                .map_err(EmbedError::device)?;
            let cosines = cosines.as_slice::<f32>().map_err(EmbedError::device)?;
            nearest
                .par_iter_mut()
                .zip(cosines.par_chunks(rows))
                .for_each(|(nearest, cosines)| nearest.offer(cosines, first));
            first += rows as u32;
        }
        Ok(nearest)
    }
}

/// The `k` rows of `index` with the highest cosine to each query: [`CosineIndex::nearest`] for a single search.
///
/// # Errors
///
/// Those of [`CosineIndex::new`] and [`CosineIndex::nearest`].
pub fn nearest_neighbours(
    index: &Features,
    queries: &Features,
    k: usize,
    device: &Device,
) -> Result<Vec<Vec<Neighbour>>, EmbedError> {
    CosineIndex::new(index, device)?.nearest(queries, k)
}

/// Rows `start..end` at length 1, `[end - start, size]` on `device`.
fn unit_rows(features: &Features, start: usize, end: usize, device: &Device) -> Tensor<2> {
    let size = features.size();
    let mut values = vec![0.0; (end - start) * size];
    let rows = features.values()[start * size..end * size].par_chunks_exact(size);
    values.par_chunks_exact_mut(size).zip(rows).for_each(|(out, row)| {
        out.iter_mut().zip(unit(row)).for_each(|(out, x)| *out = x as f32);
    });
    Tensor::from_data(TensorData::new(values, [end - start, size]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let index = CosineIndex::new(&circle(2 * TILE_ROWS), &Device::flex()).unwrap();
        let queries = circle(QUERY_BLOCK + 24);
        let found = index.nearest_with(&queries, 1, |nearest| nearest[0].row).unwrap();
        for (i, row) in found.into_iter().enumerate() {
            let expected = (i * 2 * TILE_ROWS) as f64 / queries.len() as f64;
            // Neighbouring angles have cosines of 1 - 3e-7: f32 may confuse a few.
            let off = (f64::from(row) - expected).abs();
            assert!(off.min(2.0 * TILE_ROWS as f64 - off) < 4.0, "query {i}: row {row}");
        }
    }

    #[test]
    fn vectors_that_cannot_be_compared_are_refused_by_the_name_of_their_set() {
        let device = Device::flex();
        let good = Features::new(vec![1.0, 2.0], 2);
        let message = |index: &Features, queries: &Features| {
            nearest_neighbours(index, queries, 1, &device).unwrap_err().to_string()
        };
        let none = Features::new(vec![], 2);
        assert_eq!(message(&none, &good), "expected at least one image in the index, found none");
        let nan = Features::new(vec![1.0, 2.0, 0.0, f32::NAN], 2);
        let expected = "expected finite features, found NaN in row 1 of the queries";
        assert_eq!(message(&good, &nan), expected);
        let longer = Features::new(vec![1.0; 3], 3);
        let expected = "expected feature vectors of length 2, found 3";
        assert_eq!(message(&good, &longer), expected);
    }
}
