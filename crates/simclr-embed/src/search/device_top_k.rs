//! The k nearest rows, selected on the device that computes the similarities.

use burn::tensor::{Device, Int, Tensor};

use super::nearest::Neighbour;
use crate::error::EmbedError;

/// The most neighbours that a device selects: as many as the parity suite has seen to be right. For 200 Burn's selection
/// (0.22.1) returned row 0 alone, 200 times, on software Vulkan; it keeps its candidates in registers.
const MOST: usize = 20;

/// Whether `device` selects k neighbours faster than it hands all similarities to the host. Burn's selection is a kernel on
/// CubeCL's backends alone; elsewhere it sorts.
pub(super) fn selects(device: &Device, k: usize) -> bool {
    k <= MOST && is_cube(device)
}

#[cfg(feature = "cube")]
fn is_cube(device: &Device) -> bool {
    device.identity().is_some()
}

#[cfg(not(feature = "cube"))]
fn is_cube(_: &Device) -> bool {
    false
}

/// The `k` rows with the highest cosine to each query of a block, `[queries, features]`, **in the order of the index**; of
/// equally near ones the first, as far as the device's selection takes the first: CubeCL's does. `tiles` are `[features, rows]` each.
///
/// A tile's similarities are reduced to its k best at once, and those are merged with the k best so far. The host
/// reads `[queries, k]` values and places at the end.
pub(super) fn device_top_k(
    block: &Tensor<2>,
    tiles: &[Tensor<2>],
    k: usize,
) -> Result<Vec<Vec<Neighbour>>, EmbedError> {
    let mut best: Option<(Tensor<2>, Tensor<2, Int>)> = None;
    let mut first: u32 = 0;
    for tile in tiles {
        let rows = tile.dims()[1];
        let cosines = block.clone().matmul(tile.clone()); // [queries, rows]
        let (cosines, places) = cosines.topk_with_indices(k.min(rows), 1);
        let places = places.add_scalar(first);
        best = Some(match best {
            None => (cosines, places),
            Some((nearer, earlier)) => merge([nearer, cosines], [earlier, places], k),
        });
        first += rows as u32;
    }
    let Some((cosines, places)) = best else { return Ok(Vec::new()) };
    let kept = cosines.dims()[1];
    let cosines = cosines.try_into_vec_as::<f32>().map_err(EmbedError::device)?;
    let places = places.try_into_vec_as::<u32>().map_err(EmbedError::device)?;
    let of_query = |(cosines, places): (&[f32], &[u32])| {
        let both = cosines.iter().zip(places);
        let mut nearest: Vec<Neighbour> =
            both.map(|(&cosine, &row)| Neighbour { cosine, row }).collect();
        nearest.sort_unstable_by_key(|neighbour| neighbour.row);
        nearest
    };
    Ok(cosines.chunks(kept).zip(places.chunks(kept)).map(of_query).collect())
}

/// The `k` best of two sets of candidates. The first are earlier rows, so that of equally near ones the earliest stay.
fn merge(
    cosines: [Tensor<2>; 2],
    places: [Tensor<2, Int>; 2],
    k: usize,
) -> (Tensor<2>, Tensor<2, Int>) {
    let (cosines, places) = (Tensor::cat(cosines.into(), 1), Tensor::cat(places.into(), 1));
    let k = k.min(cosines.dims()[1]);
    let (cosines, chosen) = cosines.topk_with_indices(k, 1);
    (cosines, places.gather(1, chosen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::nearest::Nearest;
    use burn::tensor::TensorData;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tile_by_tile_it_finds_what_a_look_at_all_finds(
            // Few distinct values: ties within tiles and between them.
            rows in prop::collection::vec(prop::array::uniform2(-2_i8..3), 1..60),
            queries in prop::collection::vec(prop::array::uniform2(-2_i8..3), 1..6),
            tile in 1_usize..20,
            k in 1_usize..30,
        ) {
            let device = Device::flex();
            let matrix = |rows: &[[i8; 2]]| {
                let values: Vec<f32> = rows.iter().flatten().map(|&x| f32::from(x)).collect();
                Tensor::<2>::from_data(TensorData::new(values, [rows.len(), 2]), &device)
            };
            let tiles: Vec<_> = rows.chunks(tile).map(|rows| matrix(rows).transpose()).collect();
            let found = device_top_k(&matrix(&queries), &tiles, k).unwrap();
            for (query, found) in queries.iter().zip(found) {
                let cosine = |row: &[i8; 2]| {
                    f32::from(row[0]) * f32::from(query[0]) + f32::from(row[1]) * f32::from(query[1])
                };
                let cosines: Vec<f32> = rows.iter().map(cosine).collect();
                let mut expected = Nearest::new(k);
                expected.offer(&cosines, 0);
                // flex sorts, and chooses any of equally near rows.
                let sorted = |nearest: &[Neighbour]| {
                    let mut cosines: Vec<f32> = nearest.iter().map(|n| n.cosine).collect();
                    cosines.sort_by(f32::total_cmp);
                    cosines
                };
                prop_assert_eq!(sorted(&found), sorted(&expected.finish()));
                prop_assert!(found.windows(2).all(|pair| pair[0].row < pair[1].row));
                let off = |n: &Neighbour| (n.cosine - cosines[n.row as usize]).abs();
                prop_assert!(found.iter().all(|n| off(n) < 1e-6));
            }
        }
    }
}
