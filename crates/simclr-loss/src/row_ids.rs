//! Which rows have the same id, told on the device.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// An id of each of m rows.
pub(crate) struct RowIds {
    /// The same ids as a column `[m, 1]` and as a row `[1, m]`: two tensors, because Burn's fusion misreads one that a
    /// kernel reads both ways. See docs/adr/0010.
    column: Tensor<2, Int>,
    row: Tensor<2, Int>,
}

impl RowIds {
    /// For the rows of `z`, `[m, d]`, one view of all images after the other.
    pub(crate) fn new(of_images: &[usize], z: &Tensor<2>) -> Self {
        let ([m, _], device) = (z.dims(), z.device());
        let views = m / of_images.len();
        let ids: Vec<i64> = of_images.repeat(views).into_iter().map(int).collect();
        let tensor = |shape: [usize; 2]| {
            Tensor::<2, Int>::from_data(TensorData::new(ids.clone(), shape), &device)
        };
        Self { column: tensor([m, 1]), row: tensor([1, m]) }
    }

    /// The pairs of one id, of the anchors in `rows` and all rows: `[b, m]`.
    pub(crate) fn same(&self, rows: Range<usize>) -> Tensor<2, Bool> {
        let [_, m] = self.row.dims();
        let shape = [rows.len(), m];
        self.column.clone().slice([rows]).expand(shape).equal(self.row.clone().expand(shape))
    }
}

/// The pairs of the anchors in `rows` and all of `m` rows but themselves: `[b, m]`.
pub(crate) fn others(rows: Range<usize>, m: usize, device: &Device) -> Tensor<2, Bool> {
    // False on the diagonal of the whole matrix.
    Tensor::diag_mask([rows.len(), m], int(rows.start), device)
}

/// An index as Burn counts.
pub(crate) fn int(index: usize) -> i64 {
    i64::try_from(index).expect("a batch of less than 2^63 views")
}
