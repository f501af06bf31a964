//! The gradient of an input with few channels.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::memory::Lent;
use crate::kernels::product::{LeftOrder, Product, Tap, strips};
use crate::kernels::scratch::with_scratch;
use crate::kernels::{Geometry, PackedWeights};

/// Numbers in the unfolded patches that are made at a time: they stay in the second-level cache.
const PATCHES: usize = 48 * 1024;

/// The gradient of the input, into `result`: each patch's gradient is a row of one product, and where patches
/// overlap, their gradients are added.
///
/// The vectors here run over all numbers of a patch. In [`input_gradient`](super::input_gradient) they run over the
/// channels, and would be mostly empty.
pub(crate) fn unfolded_input_gradient(
    geometry: &Geometry,
    weights: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) {
    let Geometry { channels_in, channels_out, kernel: [height, width], .. } = *geometry;
    let positions = height * width;
    let patch = positions * channels_in;
    let mut by_position = Lent::new(weights.len());
    for (to, from) in by_position.chunks_exact_mut(patch).zip(weights.chunks_exact(patch)) {
        for (index, to) in to.iter_mut().enumerate() {
            *to = from[index % channels_in * positions + index / channels_in];
        }
    }
    let weights = PackedWeights::backward(&by_position, [channels_out, patch], 1);
    let image = result.len() / geometry.images;
    let outputs = gradient.len() / geometry.images;
    let at_a_time = (PATCHES / patch).max(1);
    result.par_chunks_mut(image).zip(gradient.par_chunks(outputs)).for_each(|(image, gradient)| {
        image.fill(0.0);
        with_scratch(at_a_time * patch, |patches| {
            let some = gradient.chunks(at_a_time * channels_out).enumerate();
            for (index, gradient) in some {
                let pixels = gradient.len() / channels_out;
                let patches = &mut patches[..pixels * patch];
                for (start, width) in strips(patch) {
                    Arch::new().dispatch(Product {
                        left: gradient,
                        order: LeftOrder::Rows,
                        right: weights.strip(start, width),
                        right_stride: width,
                        taps: &[Tap { left: 0, right: 0 }],
                        run: channels_out,
                        rows: pixels,
                        place: |row: usize| (row * channels_out, row * patch + start),
                        width,
                        columns: width.min(patch - start),
                        target: &mut *patches,
                        add: false,
                    });
                }
                fold(geometry, index * at_a_time, patches, image);
            }
        });
    });
}

/// Adds the patches to the pixels that they cover. The first patch belongs to output `first`.
fn fold(geometry: &Geometry, first: usize, patches: &[f32], image: &mut [f32]) {
    let Geometry { input: [height, width], channels_in, kernel, stride, dilation, .. } = *geometry;
    let [top, left] = geometry.padding_before;
    let columns = geometry.output()[1];
    let of_row = kernel[1] * channels_in;
    for (index, patch) in patches.chunks_exact(kernel[0] * of_row).enumerate() {
        let (y, x) = ((first + index) / columns * stride[0], (first + index) % columns * stride[1]);
        for (i, patch) in patch.chunks_exact(of_row).enumerate() {
            let Some(row) = (y + i * dilation[0]).checked_sub(top).filter(|&row| row < height)
            else {
                continue;
            };
            let row = &mut image[row * width * channels_in..][..width * channels_in];
            if dilation[1] == 1 {
                // The patch's pixels are neighbours in the image, too.
                let missing = left.saturating_sub(x).min(kernel[1]);
                let present = (x + kernel[1]).saturating_sub(left).min(width);
                let start = (x + missing - left.min(x + missing)).min(present);
                let to = &mut row[start * channels_in..present * channels_in];
                for (to, from) in to.iter_mut().zip(&patch[missing * channels_in..]) {
                    *to += from;
                }
                continue;
            }
            for (j, patch) in patch.chunks_exact(channels_in).enumerate() {
                let column = (x + j * dilation[1]).checked_sub(left);
                let Some(column) = column.filter(|&column| column < width) else { continue };
                for (to, from) in row[column * channels_in..].iter_mut().zip(patch) {
                    *to += from;
                }
            }
        }
    }
}
