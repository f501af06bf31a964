use burn::tensor::{Device, Tensor, TensorData};

use super::prepared_view::{Pixels, PreparedView};
use crate::config::ResizeFilter;
use crate::weights::{Axis, AxisWeights};

/// Crops, flipped and resized: `[n, y, 3, x]` in `[0, 1]`.
///
/// The channel stands between rows and columns, so that both products are plain batched ones:
/// `[n, y * 3, x]` times `[n, x, size]`, and `[n, size, y]` times `[n, y, 3 * size]`.
pub(super) fn resample(
    prepared: &[PreparedView],
    filter: ResizeFilter,
    device: &Device,
) -> Tensor<4> {
    let n = prepared.len();
    let size = prepared[0].size() as usize;
    let width = prepared.iter().map(PreparedView::width).max().unwrap_or(1);
    let height = prepared.iter().map(PreparedView::height).max().unwrap_or(1);

    let mut pixels = vec![0.0; n * height * 3 * width];
    let mut columns = vec![0.0; n * size * height];
    let mut rows = vec![0.0; n * width * size];
    for (index, view) in prepared.iter().enumerate() {
        pad(view, width, &mut pixels[index * height * 3 * width..]);
        let (by_column, by_row) = weights(view, filter);
        for place in 0..size {
            let (start, weights) = by_column.window(place);
            let row = &mut columns[(index * size + place) * height..][start..];
            row[..weights.len()].copy_from_slice(weights);
            let (start, weights) = by_row.window(place);
            let column = &mut rows[(index * width + start) * size + place..];
            for (value, weight) in column.iter_mut().step_by(size).zip(weights) {
                *value = *weight;
            }
        }
    }
    let tensor = |values, shape: [usize; 3]| -> Tensor<3> {
        Tensor::from_data(TensorData::new(values, shape), device)
    };
    let pixels = tensor(pixels, [n, height * 3, width]); // [n, y * 3, x of the crop]
    let resized = pixels.matmul(tensor(rows, [n, width, size])); // [n, y * 3, x]
    let resized = resized.reshape([n, height, 3 * size]);
    let views = tensor(columns, [n, size, height]).matmul(resized); // [n, y, 3 * x]
    let views = views.reshape([n, size, 3, size]);
    match filter {
        ResizeFilter::Bilinear => views,
        ResizeFilter::Bicubic => views.clamp(0.0, 1.0),
    }
}

/// Weights along the columns and along the rows. They also turn u8 into `[0, 1]`.
fn weights(view: &PreparedView, filter: ResizeFilter) -> (AxisWeights, AxisWeights) {
    let (mut columns, mut rows) = (AxisWeights::default(), AxisWeights::default());
    let (params, size) = (view.params(), view.size());
    match view.pixels() {
        Pixels::Crop(_) => {
            let [along_row, along_column] = Axis::of_view(params, [size; 2]);
            columns.set(filter, &along_column, 1.0);
            rows.set(filter, &along_row, 1.0 / 255.0);
        }
        Pixels::Resized(_) => {
            let copied = Axis::whole(size, size, false);
            columns.set(filter, &copied, 1.0);
            rows.set(filter, &copied, 1.0);
        }
    }
    (columns, rows)
}

/// Writes `[y, 3, x]`, each row `width` values wide.
fn pad(view: &PreparedView, width: usize, out: &mut [f32]) {
    match view.pixels() {
        Pixels::Crop(bytes) => {
            let rows = bytes.chunks_exact(3 * view.width());
            for (row, out) in rows.zip(out.chunks_exact_mut(3 * width)) {
                for (channel, out) in out.chunks_exact_mut(width).enumerate() {
                    for (value, byte) in out.iter_mut().zip(row.iter().skip(channel).step_by(3)) {
                        *value = f32::from(*byte);
                    }
                }
            }
        }
        Pixels::Resized(planes) => {
            let size = view.width();
            for (row, values) in planes.chunks_exact(size).enumerate() {
                let (channel, y) = (row / size, row % size);
                out[(3 * y + channel) * width..][..size].copy_from_slice(values);
            }
        }
    }
}
