//! Some rows of an image with the zeros around them.

/// The part of an image that a task reads, which may reach beyond it on every side.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The first row and column; negative above and to the left of the image.
    pub(super) start: [isize; 2],
    /// Rows and columns.
    pub(super) size: [usize; 2],
}

impl Window {
    pub(super) fn len(&self, channels: usize) -> usize {
        self.size[0] * self.size[1] * channels
    }

    /// Copies the window out of `image` `[h, w, channels]`, zero where there is none.
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
