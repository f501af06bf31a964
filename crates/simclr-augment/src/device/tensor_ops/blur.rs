use burn::tensor::Tensor;

use super::on_device::OnDevice;
use crate::device::table::{BLUR_CENTRE, BLUR_EXPONENT, BLUR_REACH};

/// Blurs the views `[n, y, 3, x]` that are to be blurred: two batched products with their kernels as
/// matrices, mirrored at the borders. The matrix of any other view is the identity.
pub(super) fn blur(views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    if batch.params().all(|params| params.blur_sigma.is_none()) {
        return views;
    }
    let [n, size, ..] = views.dims();
    let kernels = kernels(batch).reshape([n, size, size]);
    let rows = views.reshape([n, size * 3, size]).matmul(kernels.clone().swap_dims(1, 2));
    let columns = kernels.matmul(rows.reshape([n, size, 3 * size]));
    columns.reshape([n, size, 3, size])
}

/// `[n, size, size, 1]`: the weights of all pixels for each one.
fn kernels(batch: &OnDevice) -> Tensor<4> {
    let last = (batch.size - 1) as f32;
    let to = batch.count(1, batch.size).float();
    let from = batch.count(2, batch.size).float();
    let weight = |distance: Tensor<4>| {
        let within = distance.clone().lower_equal(batch.number(BLUR_REACH)).float();
        let square = distance.clone() * distance;
        within * (square * batch.number(BLUR_EXPONENT)).exp() * batch.number(BLUR_CENTRE)
    };
    // Beyond the borders the view is mirrored, without repeating the border itself.
    let before = from.clone().greater_elem(0.0).float();
    let after = from.clone().lower_elem(last).float();
    weight((to.clone() - from.clone()).abs())
        + weight(to.clone() + from.clone()) * before
        + weight((to + from).neg() + 2.0 * last) * after
}
