use burn::tensor::{Tensor, TensorData};

use crate::draw::ViewParams;
use crate::weights::set_blur_kernel;

/// Blurs the views `[n, y, 3, x]` that are to be blurred: two batched products with their kernels as
/// matrices, mirrored at the borders. The matrix of any other view is the identity.
pub(super) fn blur(views: Tensor<4>, params: &[&ViewParams]) -> Tensor<4> {
    if params.iter().all(|params| params.blur_sigma.is_none()) {
        return views;
    }
    let device = views.device();
    let [n, size, ..] = views.dims();
    let mut matrices = vec![0.0; n * size * size];
    let mut taps = Vec::new();
    for (params, matrix) in params.iter().zip(matrices.chunks_exact_mut(size * size)) {
        match params.blur_sigma {
            Some(sigma) => set_blur_kernel(&mut taps, size, sigma),
            None => taps.splice(.., [1.0]).for_each(drop),
        }
        for (place, row) in matrix.chunks_exact_mut(size).enumerate() {
            row[place] += taps[0];
            for (k, tap) in taps.iter().enumerate().skip(1) {
                row[place.abs_diff(k)] += tap;
                row[if place + k < size { place + k } else { 2 * (size - 1) - (place + k) }] += tap;
            }
        }
    }
    let kernels = Tensor::<3>::from_data(TensorData::new(matrices, [n, size, size]), &device);
    let rows = views.reshape([n, size * 3, size]).matmul(kernels.clone().swap_dims(1, 2));
    let columns = kernels.matmul(rows.reshape([n, size, 3 * size]));
    columns.reshape([n, size, 3, size])
}
