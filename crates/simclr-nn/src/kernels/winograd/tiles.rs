//! How images are cut into tiles, and how the tiles are shared out to tasks.

use std::ops::Range;

use super::transforms::TILE;
use crate::kernels::Geometry;

/// The tiles of a 3x3 convolution with stride 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub(super) images: usize,
    /// Height and width of the images that the 6x6 patches are cut from.
    pub(super) input: [usize; 2],
    /// Height and width of the images that the 4x4 tiles cover.
    pub(super) output: [usize; 2],
    /// How far above the input, and to its left, the first patch begins.
    pub(super) padding: [usize; 2],
}

/// One tile: its image, and its first output row and column.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Tiles {
    /// The tiles of a convolution's output.
    pub(super) fn of_output(geometry: &Geometry) -> Self {
        Self {
            images: geometry.images,
            input: geometry.input,
            output: geometry.output(),
            padding: geometry.padding_before,
        }
    }

    /// The tiles of the input's gradient, whose patches are cut from the output's gradient.
    pub(super) fn of_input_gradient(geometry: &Geometry) -> Self {
        Self {
            images: geometry.images,
            input: geometry.output(),
            output: geometry.input,
            padding: geometry.padding_before.map(|p| 2 - p),
        }
    }

    /// Tiles above each other.
    fn down(&self) -> usize {
        self.output[0].div_ceil(TILE)
    }

    /// Tiles beside each other.
    fn across(&self) -> usize {
        self.output[1].div_ceil(TILE)
    }

    /// Tasks of about `target` tiles each, as ranges of bands: rows of tiles, counted through all images. They depend
    /// on nothing but the sizes, so that sums come out the same for any number of threads.
    pub(super) fn tasks(&self, target: usize) -> Vec<Range<usize>> {
        let bands = self.images * self.down();
        let tasks = (bands * self.across()).div_ceil(target.max(1));
        // A multiple of four equal tasks, if there are as many bands, keeps two threads busy.
        let tasks = tasks.next_multiple_of(4).min(bands);
        (0..tasks).map(|t| bands * t / tasks..bands * (t + 1) / tasks).collect()
    }

    /// The tiles of some bands, from left to right and from top to bottom.
    pub(super) fn of_bands(&self, bands: Range<usize>) -> impl Iterator<Item = Tile> + Clone {
        let (down, across) = (self.down(), self.across());
        bands.flat_map(move |band| {
            (0..across).map(move |column| Tile {
                image: band / down,
                row: band % down * TILE,
                column: column * TILE,
            })
        })
    }

    /// How many tiles there are.
    pub(super) fn all(&self) -> usize {
        self.images * self.down() * self.across()
    }

    /// How many tiles some bands have.
    pub(super) fn count(&self, bands: &Range<usize>) -> usize {
        bands.len() * self.across()
    }

    /// How many tiles the largest of some tasks has.
    pub(super) fn most(&self, tasks: &[Range<usize>]) -> usize {
        tasks.iter().map(|bands| self.count(bands)).max().unwrap_or(0)
    }

    /// Output rows before a band. The last band of an image may have fewer than four.
    pub(super) fn rows_before(&self, band: usize) -> usize {
        let down = self.down();
        band / down * self.output[0] + band % down * TILE
    }

    /// Output rows of some bands.
    pub(super) fn rows(&self, bands: &Range<usize>) -> usize {
        self.rows_before(bands.end) - self.rows_before(bands.start)
    }
}
