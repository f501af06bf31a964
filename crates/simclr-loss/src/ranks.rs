//! How many views are nearer to an anchor than the one that it is to find.

use std::ops::Range;

use burn::tensor::{Int, Tensor};

use crate::groups::groups;
use crate::log_denominators::blocks;
use crate::one_sweep;
use crate::row_ids::{RowIds, int, others};
use crate::views::UnitViews;

/// Cosines that are held at a time: 32 MiB in f32.
const COSINES: usize = 1 << 23;

/// What an anchor is to find among the other views.
#[derive(Debug, Clone)]
pub(crate) enum Sought {
    /// Its partner, the other of two views of its image.
    Partner,
    /// The nearest view of its class. The class of each image, numbered from 0.
    Class(Vec<usize>),
}

impl Sought {
    /// With labels that may be any numbers.
    pub(crate) fn class(labels: &[usize]) -> Self {
        Self::Class(groups(labels).0)
    }

    /// The class of each image, if an anchor is to find more than its partner.
    pub(crate) fn classes(&self) -> Option<&[usize]> {
        match self {
            Self::Partner => None,
            Self::Class(classes) => Some(classes),
        }
    }
}

/// For each of 2n views, how many others are nearer than what it is to find, without autodiff.
///
/// # Shapes
///
/// - `z_a`, `z_b`: `[n, d]`, of any length, as [`images`](crate::views::images) checks
/// - output: `[2n]`, the anchors of view a, then those of view b
pub(crate) fn ranks_of_views(z_a: Tensor<2>, z_b: Tensor<2>, sought: &Sought) -> Tensor<1> {
    let [z_a, z_b] = [z_a, z_b].map(Tensor::without_autodiff);
    one_sweep::ranks(&[z_a.clone(), z_b.clone()], sought)
        .unwrap_or_else(|| ranks(&UnitViews::new(z_a, z_b).concat(), sought))
}

/// For each of m views, how many others are nearer than what it is to find.
///
/// # Shapes
///
/// - `z`: `[m, d]`, rows of length one, one view after the other
/// - output: `[m]`
pub(crate) fn ranks(z: &Tensor<2>, sought: &Sought) -> Tensor<1> {
    ranks_in_blocks(COSINES, z, sought)
}

/// [`ranks`] in tensor operations, with as many cosines a block as a test chooses.
fn ranks_in_blocks(cosines: usize, z: &Tensor<2>, sought: &Sought) -> Tensor<1> {
    let ranking = Ranking::new(sought, z);
    let columns = z.clone().transpose(); // [d, m]
    let of_block = |rows: Range<usize>| {
        let cosines = z.clone().slice([rows.clone()]).matmul(columns.clone()); // [b, m]
        ranking.of_rows(rows, cosines)
    };
    Tensor::cat(blocks(z.dims()[0], cosines).map(of_block).collect(), 0)
}

/// Counts views in a block of cosines, in tensor operations.
#[expect(clippy::large_enum_variant, reason = "one is made for a loss, and none is moved around")]
pub(crate) enum Ranking {
    Partners,
    Classes(RowIds),
}

impl Ranking {
    /// For the rows of `z`, `[m, d]`.
    pub(crate) fn new(sought: &Sought, z: &Tensor<2>) -> Self {
        sought.classes().map_or(Self::Partners, |classes| Self::Classes(RowIds::new(classes, z)))
    }

    /// The ranks of the anchors in `rows`, from their cosines with all rows: `[b, m]` -> `[b]`.
    pub(crate) fn of_rows(&self, rows: Range<usize>, cosines: Tensor<2>) -> Tensor<1> {
        let ([_, m], device) = (cosines.dims(), cosines.device());
        let others = others(rows.clone(), m, &device);
        let nearer = match self {
            Self::Partners => {
                let partners = Tensor::<1, Int>::arange(int(rows.start)..int(rows.end), &device);
                let partners = partners.add_scalar(int(m) / 2).remainder_scalar(int(m));
                let partner = cosines.clone().gather(1, partners.unsqueeze_dim(1)); // [b, 1]
                cosines.greater(partner).bool_and(others)
            }
            Self::Classes(classes) => {
                let same = classes.same(rows);
                let positives = same.clone().bool_and(others);
                // Below every cosine, so that only positives are nearest.
                let nearest = cosines.clone().mask_fill(positives.bool_not(), -2.0).max_dim(1); // [b, 1]
                cosines.greater(nearest).bool_and(same.bool_not())
            }
        };
        nearer.float().sum_dim(1).squeeze_dim(1)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::views::unit_rows;

    #[test]
    fn ranks_of_many_blocks_equal_the_loop_over_all_pairs() {
        let (n, d) = (150, 5);
        let m = 2 * n;
        let device = Device::flex();
        let view = || Tensor::<2>::random([n, d], Distribution::Normal(0.0, 1.0), &device);
        let z = unit_rows(&[view(), view()]);
        let cosines: Vec<f32> =
            z.clone().matmul(z.clone().transpose()).to_data_as::<f32>().iter().collect();
        let labels: Vec<usize> = (0..n).map(|i| i * i % 97).collect();
        let images: Vec<usize> = (0..n).collect();
        for (sought, ids) in [(Sought::Partner, &images), (Sought::class(&labels), &labels)] {
            let of_class = |i: usize, k: usize| ids[k % n] == ids[i % n];
            let expected = (0..m).map(|i| {
                let row = &cosines[m * i..m * (i + 1)];
                let positives = (0..m).filter(|&k| k != i && of_class(i, k));
                let nearest = positives.map(|k| row[k]).fold(f32::MIN, f32::max);
                (0..m).filter(|&k| !of_class(i, k) && row[k] > nearest).count() as f64
            });
            let expected: Vec<f64> = expected.collect();
            for rows in [1, 7, 64, 128, m] {
                let found = ranks_in_blocks(rows * m, &z, &sought).to_data_as::<f64>();
                assert_eq!(
                    found.iter::<f64>().collect::<Vec<_>>(),
                    expected,
                    "{rows} rows a block"
                );
            }
        }
    }
}
