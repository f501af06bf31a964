//! How images are shared out to tasks.

use rayon::prelude::*;

/// Numbers in a band: few enough that all of its channels stay in the second-level cache.
const BAND: usize = 64 * 1024;

/// Consecutive rows of one image.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) image: usize,
    pub(super) start: usize,
    pub(super) rows: usize,
}

/// Bands of images of some rows.
#[derive(Clone, Copy)]
pub(super) struct Bands {
    /// Rows of an image.
    height: usize,
    /// Numbers in a row.
    row: usize,
    /// Rows in a band, but for an image's last.
    rows: usize,
}

impl Bands {
    /// Bands of images with `height` rows of `row` numbers, that begin at multiples of `step` rows.
    pub(super) fn new(height: usize, row: usize, step: usize) -> Self {
        let most = (BAND / row / step * step).max(step);
        let bands = height.div_ceil(most);
        Self { height, row, rows: height.div_ceil(bands).next_multiple_of(step) }
    }

    /// The bands, each with its part of `values`, the images' rows.
    pub(super) fn split(
        self,
        values: &mut [f32],
    ) -> impl ParallelIterator<Item = (Band, &mut [f32])> {
        let images = values.par_chunks_mut(self.height * self.row).enumerate();
        images.flat_map(move |(image, values)| {
            let bands = values.par_chunks_mut(self.rows * self.row).enumerate();
            bands.map(move |(index, values)| (self.band(image, index, values.len()), values))
        })
    }

    /// The bands of so many images, in order.
    pub(super) fn all(self, images: usize) -> Vec<Band> {
        let of_image = (0..self.height).step_by(self.rows);
        let of_images = (0..images).flat_map(|image| of_image.clone().map(move |y| (image, y)));
        let rows = |start| self.rows.min(self.height - start);
        of_images.map(|(image, start)| Band { image, start, rows: rows(start) }).collect()
    }

    fn band(self, image: usize, index: usize, len: usize) -> Band {
        Band { image, start: index * self.rows, rows: len / self.row }
    }
}
