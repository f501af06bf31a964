use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use simclr_traffic::send;

use super::prepared_view::PreparedView;
use super::table::{self, COLUMNS};
use crate::config::Normalization;

/// A batch as it goes to a device: the words of all views, one after the other, and a row of parameters for each.
pub(super) struct PackedViews {
    words: Vec<i32>,
    table: Vec<f32>,
}

impl PackedViews {
    pub(super) fn new(prepared: &[PreparedView], normalization: &Normalization) -> Self {
        let mut words = Vec::with_capacity(prepared.iter().map(|view| view.words().len()).sum());
        let mut table = Vec::with_capacity(prepared.len() * COLUMNS);
        for view in prepared {
            table.extend(table::row(view, words.len(), normalization));
            words.extend_from_slice(view.words());
        }
        Self { words, table }
    }

    /// Sends the words, and the table, `[n, COLUMNS]`.
    pub(super) fn upload(self, device: &Device) -> (Tensor<1, Int>, Tensor<2>) {
        let Self { words, table } = self;
        let shapes = ([words.len()], [table.len() / COLUMNS, COLUMNS]);
        let words = send(TensorData::new(words, shapes.0), (device, DType::I32));
        let table = send(TensorData::new(table, shapes.1), (device, DType::F32));
        (words, table)
    }
}

/// The bytes that a view takes on its way to a device.
pub(super) fn upload_bytes(view: &PreparedView) -> usize {
    size_of_val(view.words()) + COLUMNS * size_of::<f32>()
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::config::ResizeFilter;
    use crate::draw::{CropBox, ViewParams};

    #[test]
    fn a_batch_takes_the_bytes_of_its_views() {
        let image = RgbImage::new(90, 70);
        let prepared: Vec<_> = [[1, 1], [20, 9], [90, 70]]
            .into_iter()
            .map(|[width, height]| {
                let params = ViewParams::only_crop(CropBox::whole(width, height));
                PreparedView::new(&image, &params, 16, ResizeFilter::Bilinear)
            })
            .collect();
        let packed = PackedViews::new(&prepared, &Normalization::NONE);
        let bytes = size_of_val(&packed.words[..]) + size_of_val(&packed.table[..]);
        assert_eq!(bytes, prepared.iter().map(upload_bytes).sum::<usize>());
        assert_eq!(bytes, 4 + 540 + 3 * 16 * 16 * 4 + 3 * 152);
    }
}
