//! How many views are nearer to an anchor than the one that it should find.

use std::ops::Range;

use burn::tensor::{Bool, Tensor};

/// Anchors whose similarities are held at a time.
const BLOCK: usize = 1024;

/// For each view, the number of other views that `nearer` marks: `[2n]`.
///
/// `nearer` takes the anchors of a block and their cosines with all views, `[block, 2n]`, and returns a mark for each
/// of those.
///
/// # Shapes
///
/// - `z`: `[2n, d]`, rows of length one
pub(crate) fn count_nearer(
    z: &Tensor<2>,
    nearer: impl Fn(Range<usize>, Tensor<2>) -> Tensor<2, Bool>,
) -> Tensor<1> {
    let views = z.dims()[0];
    let columns = z.clone().transpose(); // [d, 2n]
    let of_block = |start: usize| {
        let end = (start + BLOCK).min(views);
        let similarities = z.clone().narrow(0, start, end - start).matmul(columns.clone()); // [block, 2n]
        nearer(start..end, similarities).float().sum_dim(1).squeeze_dim(1)
    };
    Tensor::cat((0..views).step_by(BLOCK).map(of_block).collect(), 0)
}

/// An index as Burn counts.
pub(crate) fn int(index: usize) -> i64 {
    i64::try_from(index).expect("a batch of less than 2^63 views")
}
