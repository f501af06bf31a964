use burn::tensor::{Int, Tensor};

use super::on_device::OnDevice;
use super::{has_resized, select, sides};
use crate::config::ResizeFilter;
use crate::device::prepared_view::FIXED_POINT_ONE;
use crate::device::table::{
    INPUT, IS_RESIZED, MIRRORED, REFLECTED, RESIZED, START, X_AXIS, Y_AXIS,
};

/// Crops, flipped and resized: `[n, y, 3, x]` in `[0, 1]`.
///
/// The channel stands between rows and columns, so that both products are plain batched ones:
/// `[n, y * 3, x]` times `[n, x, size]`, and `[n, size, y]` times `[n, y, 3 * size]`.
pub(super) fn resample(batch: &OnDevice) -> Tensor<4> {
    let (n, size) = (batch.prepared.len(), batch.size);
    let [width, height] = batch
        .prepared
        .iter()
        .map(sides)
        .fold([1, 1], |[w, h], [width, height]| [w.max(width), h.max(height)]);
    let crops = crops(batch, [width, height]).reshape([n, height * 3, width]);
    let along_row = weights(batch, X_AXIS, width).swap_dims(1, 2); // [n, x of the crop, size]
    let resized = crops.matmul(along_row).reshape([n, height, 3 * size]);
    let along_column = weights(batch, Y_AXIS, height); // [n, size, y of the crop]
    let views = along_column.matmul(resized).reshape([n, size, 3, size]) / 255.0;
    let views = match batch.filter {
        ResizeFilter::Bilinear => views,
        ResizeFilter::Bicubic => views.clamp(0.0, 1.0),
    };
    if has_resized(batch.prepared) {
        select(batch.number(IS_RESIZED), resized_before(batch), views)
    } else {
        views
    }
}

/// `[n, y, 3, x]` in 0 to 255. What lies beyond a crop's sides has no weight: it shows any other pixels.
fn crops(batch: &OnDevice, [width, height]: [usize; 2]) -> Tensor<4> {
    let bytes = [0_i32, 8, 16, 24]
        .map(|shift| batch.words.clone().bitwise_right_shift_scalar(shift).bitwise_and_scalar(255));
    let bytes = Tensor::stack::<2>(bytes.to_vec(), 1).reshape([-1]).float();
    let row = batch.number(X_AXIS + INPUT).int() * 3;
    let place = batch.count(3, width) * 3 + batch.count(2, 3);
    let index = batch.offsets() * 4 + row * batch.count(1, height) + place;
    take(bytes, index)
}

/// The views that were resized on the CPU, `[n, y, 3, x]`; any numbers in the place of the others.
fn resized_before(batch: &OnDevice) -> Tensor<4> {
    let side = i64::from(batch.size as u32);
    let pixel = batch.count(1, batch.size) * side + batch.count(3, batch.size);
    let index = batch.offsets() + pixel * 3 + batch.count(2, 3);
    take(batch.words.clone().float() / FIXED_POINT_ONE, index)
}

/// The values at an index, or the last one where it is beyond the end.
fn take(values: Tensor<1>, index: Tensor<4, Int>) -> Tensor<4> {
    let ([len], shape) = (values.dims(), index.dims());
    let index = index.clamp_max(i64::from(len as u32) - 1).reshape([-1]);
    values.select(0, index).reshape(shape)
}

/// The weights by which the first `len` pixels along one side of the crops add up to those of the views:
/// `[n, size, len]`. [`AxisWeights`](crate::weights::AxisWeights) computes the same, but for the last digits.
fn weights(batch: &OnDevice, axis: usize, len: usize) -> Tensor<3> {
    let (n, size) = (batch.prepared.len(), batch.size);
    let number = |column: usize| batch.number(axis + column);
    let places = batch.count(1, size).float(); // [1, size, 1, 1]
    let last = (size - 1) as f32;
    let places = places.clone() + number(MIRRORED) * (places * -2.0 + last);
    let index = places + number(START);
    let last = number(RESIZED) - 1.0;
    let mirrored = last.clone() - (last.clone() - index.clone().abs()).abs();
    let index = index.clone() + number(REFLECTED) * (mirrored - index);
    // A black pixel has no weights.
    let inside = index.clone().greater_equal_elem(0.0).float()
        * index.clone().lower_equal(last.clone()).float();
    let index = index.clamp_min(0.0).min_pair(last);

    let (input, resized) = (number(INPUT), number(RESIZED));
    let pixels = batch.count(2, len).float(); // [1, 1, len, 1]
    let of_crop = pixels.clone().lower(input.clone()).float();
    // Distances from the centre, counted in pixels of the view or of the crop, whichever pixel is larger.
    let unit = input.clone().max_pair(resized.clone()) * 2.0;
    let apart = (pixels * 2.0 + 1.0) * resized - (index * 2.0 + 1.0) * input;
    let distance = apart.abs() / unit;
    let weights = match batch.filter {
        ResizeFilter::Bilinear => (distance.neg() + 1.0).clamp_min(0.0),
        ResizeFilter::Bicubic => {
            // Both parts of the cubic are 0 at 1, and the second one also at 2.
            let near = distance.clone().clamp_max(1.0);
            let far = distance.clamp(1.0, 2.0);
            ((near.clone() * 1.5 - 2.5) * near.clone() * near + 1.0)
                + (((far.clone() * -0.5 + 2.5) * far.clone() - 4.0) * far + 2.0)
        }
    };
    let weights = weights * of_crop;
    let sums = weights.clone().sum_dim(2);
    (weights * (inside / sums)).reshape([n, size, len])
}
