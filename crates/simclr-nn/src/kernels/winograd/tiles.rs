//! How images are cut into tiles, and the tiles shared out to tasks.

use std::ops::Range;

use super::transforms::TILE;

/// The tiles of a 3x3 convolution with stride 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub(super) images: usize,
    /// Height and width of what the 6x6 patches are cut from.
    pub(super) input: [usize; 2],
    /// Height and width of what the 4x4 tiles cover.
    pub(super) output: [usize; 2],
    /// How far the first patch begins above and to the left of the input.
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
    /// Tiles above each other.
    fn down(&self) -> usize {
        self.output[0].div_ceil(TILE)
    }

    /// Tiles beside each other.
    pub(super) fn across(&self) -> usize {
        self.output[1].div_ceil(TILE)
    }

    /// Rows of tiles over all images: what tasks are made of.
    pub(super) fn bands(&self) -> usize {
        self.images * self.down()
    }

    /// Tasks of some `target` tiles each. They depend on nothing but the sizes, so that sums come out
    /// the same for any number of threads.
    pub(super) fn tasks(&self, target: usize) -> Vec<Range<usize>> {
        let bands = self.bands();
        let tasks = (bands * self.across()).div_ceil(target.max(1));
        // An even number of equal tasks, where there are enough bands, keeps two threads busy.
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

    /// Output rows of some bands, the last of an image possibly with fewer than four.
    pub(super) fn rows_before(&self, band: usize) -> usize {
        let down = self.down();
        band / down * self.output[0] + band % down * TILE
    }
}
