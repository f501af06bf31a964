//! Views by Burn's own operations, on any device.

mod blur;
mod color;
mod on_device;
mod resampling;
mod rotation;

use burn::tensor::{Device, Tensor};

use self::on_device::OnDevice;
use super::prepared_view::{Pixels, PreparedView};
use super::table::{FACTOR, MEAN};
use crate::config::AugmentationConfig;

/// The most values of padded crops on the device at a time: 64 MiB. They bound the memory, whatever the
/// size of the batch and of its images.
const LARGEST_CHUNK: usize = 1 << 24;

/// The views, `[n, 3, size, size]`, of at least one prepared view.
pub(super) fn views(
    prepared: &[PreparedView],
    config: &AugmentationConfig,
    device: &Device,
) -> Tensor<4> {
    let mut rest = prepared;
    let mut views = Vec::new();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(chunk_len(rest));
        views.push(views_of_chunk(&OnDevice::new(chunk, config, device)));
        rest = after;
    }
    if views.len() == 1 { views.remove(0) } else { Tensor::cat(views, 0) }
}

fn views_of_chunk(batch: &OnDevice) -> Tensor<4> {
    let mut views = resampling::resample(batch);
    views = rotation::rotate(views, batch);
    views = color::jitter(views, batch);
    views = color::gray(views, batch);
    views = blur::blur(views, batch);
    views = color::solarize(views, batch);
    views = color::erase(views, batch);
    ((views - batch.channels(MEAN)) * batch.channels(FACTOR)).swap_dims(1, 2)
}

/// Width and height of the pixels that have to be resized.
fn sides(view: &PreparedView) -> [usize; 2] {
    view.axes().map(|axis| axis.input as usize)
}

/// The number of views that fit into a chunk, padded to the widest and the highest of them; at least one.
fn chunk_len(prepared: &[PreparedView]) -> usize {
    let [mut width, mut height] = [0, 0];
    let fits = |(count, view): &(usize, &PreparedView)| {
        let [of_view, high] = sides(view);
        [width, height] = [width.max(of_view), height.max(high)];
        (count + 1) * 3 * width * height <= LARGEST_CHUNK
    };
    prepared.iter().enumerate().take_while(fits).count().max(1)
}

fn has_resized(prepared: &[PreparedView]) -> bool {
    prepared.iter().any(|view| view.pixels() == Pixels::Resized)
}

/// `then` where the mask is 1, `otherwise` where it is 0; both are finite.
fn select(mask: Tensor<4>, then: Tensor<4>, otherwise: Tensor<4>) -> Tensor<4> {
    let not = mask.clone().neg() + 1.0;
    then * mask + otherwise * not
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::config::ResizeFilter;
    use crate::draw::{CropBox, ViewParams};

    #[test]
    fn a_chunk_of_crops_has_a_bounded_number_of_values() {
        let params = ViewParams::only_crop(CropBox::whole(448, 448));
        let image = RgbImage::new(448, 448);
        let view = PreparedView::new(&image, &params, 224, ResizeFilter::Bilinear);
        assert_eq!(sides(&view), [448, 448]);
        let chunk = chunk_len(&vec![view; 60]);
        assert!(chunk > 20 && chunk * 3 * 448 * 448 <= LARGEST_CHUNK, "{chunk}");
    }
}
