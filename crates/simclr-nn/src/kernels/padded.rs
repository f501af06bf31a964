//! Parts of images with the zeros around them.

use crate::kernels::scratch::with_scratch;

/// The part of an image that a task reads. It may reach beyond the image on every side.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The first row and column; negative above and to the left of the image.
    pub(super) start: [isize; 2],
    /// Rows and columns.
    pub(super) size: [usize; 2],
}

impl Window {
    pub(super) fn len(&self, channels: usize) -> usize {
        self.pixels() * channels
    }

    pub(super) fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Copies the window of `image`, `[h, w, channels]`, to `to`: zero outside the image.
    pub(super) fn copy(&self, image: &[f32], size: [usize; 2], channels: usize, to: &mut [f32]) {
        let [height, width] = size;
        let row_len = self.size[1] * channels;
        if row_len == 0 {
            return;
        }
        let clip = |x: isize, most: usize| x.clamp(0, most as isize) as usize;
        let first = clip(self.start[1], width);
        let last = clip(self.start[1] + self.size[1] as isize, width);
        let before = clip(-self.start[1], self.size[1]) * channels;
        let inside = (last - first) * channels;
        for (index, to) in to.chunks_exact_mut(row_len).enumerate().take(self.size[0]) {
            let row = self.start[0] + index as isize;
            if row < 0 || row >= height as isize || inside == 0 {
                to.fill(0.0);
                continue;
            }
            let at = (row as usize * width + first) * channels;
            to[..before].fill(0.0);
            to[before..before + inside].copy_from_slice(&image[at..at + inside]);
            to[before + inside..].fill(0.0);
        }
    }
}

/// Images `[n, h, w, channels]`, or one of them, to be copied from.
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    pub(super) values: &'a [f32],
    /// Height and width of an image.
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
}

impl Images<'_> {
    /// One of the images.
    pub(super) fn image(self, image: usize) -> Self {
        let len = self.size[0] * self.size[1] * self.channels;
        Self { values: &self.values[image * len..][..len], ..self }
    }

    /// Calls `work` with the windows `(image, window)` one behind the other.
    pub(super) fn with_windows(
        &self,
        windows: impl Iterator<Item = (usize, Window)> + Clone,
        work: impl FnOnce(&[f32]),
    ) {
        let lens = windows.clone().map(|(_, window)| window.len(self.channels));
        with_scratch(lens.sum(), |padded| {
            let mut rest = &mut *padded;
            for (image, window) in windows {
                let (to, others) = rest.split_at_mut(window.len(self.channels));
                rest = others;
                let from = self.image(image).values;
                window.copy(from, self.size, self.channels, to);
            }
            work(padded);
        });
    }
}
