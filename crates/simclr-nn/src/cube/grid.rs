//! How a matrix of pixels and channels is cut for a launch.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::AddressType;
use cubecl::prelude::{CubeCount, CubeDim};

use super::kernels::RowsLaunch;
use super::pixels::Pixels;
use crate::ops::channels_together;

/// Units of a cube. Every device has as many.
const UNITS: usize = 256;
/// Units of a cube beside each other; the others are below.
const MOST_ACROSS: usize = 32;
/// Blocks of rows at most, of those that are joined afterwards.
const MOST_JOINED: usize = 256;
/// Blocks of rows at most, of those that aren't: less than a device's limit of 65,535.
const MOST_BLOCKS: usize = 1 << 15;
/// Rows of a unit, where there are enough.
const ROWS_OF_A_UNIT: usize = 4;

/// A matrix of `rows` x `width` vectors, cut into blocks of rows. A cube's units stand `across` beside each other, one
/// for each vector of a row, and `down` below each other; the unit in line y takes runs y, y + down, ... of its block,
/// each a `run` of consecutive rows.
///
/// It follows from the sizes alone, so that sums are the same on every device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Channels in a vector.
    pub(super) vector: usize,
    pub(super) rows: usize,
    /// Vectors in a row.
    pub(super) width: usize,
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) blocks: usize,
    pub(super) rows_per_block: usize,
    pub(super) run: usize,
}

impl Grid {
    /// For one pass over pixels, whose blocks leave nothing to join, in runs of so many pixels.
    pub(super) fn over(pixels: &Pixels, run: usize) -> Self {
        Self::new(pixels.count(), pixels.channels(), MOST_BLOCKS, run)
    }

    /// For sums over pixels, of which each block gives a part, in runs of so many pixels.
    pub(super) fn summing(pixels: &Pixels, run: usize) -> Self {
        Self::new(pixels.count(), pixels.channels(), MOST_JOINED, run)
    }

    /// For joining the parts of the blocks: one block, whose rows are the blocks of `self`.
    pub(super) fn joining(self) -> Self {
        Self::new(self.blocks, self.width * self.vector, 1, 1)
    }

    fn new(rows: usize, channels: usize, most_blocks: usize, run: usize) -> Self {
        let vector = channels_together(channels);
        let width = channels / vector;
        let across = width.next_power_of_two().min(MOST_ACROSS);
        let down = UNITS / across;
        let rows_of_a_unit = ROWS_OF_A_UNIT.max(run);
        let blocks = rows.div_ceil(down * rows_of_a_unit).clamp(1, most_blocks);
        let rows_per_block = rows.div_ceil(blocks).next_multiple_of(run);
        let blocks = rows.div_ceil(rows_per_block);
        Self { vector, rows, width, across, down, blocks, rows_per_block, run }
    }

    /// As kernels see it.
    pub(super) fn rows(&self) -> RowsLaunch {
        let Self { rows, width, rows_per_block, across, down, run, .. } = *self;
        RowsLaunch::new(rows, width, rows_per_block, across, down, run)
    }

    pub(super) fn cube_count(&self) -> CubeCount {
        CubeCount::Static(self.width.div_ceil(self.across) as u32, self.blocks as u32, 1)
    }

    pub(super) fn cube_dim(&self) -> CubeDim {
        CubeDim::new_2d(self.across as u32, self.down as u32)
    }
}

/// The integers that a kernel needs to count the elements of `largest`.
pub(super) fn address_type(largest: &CubeTensor) -> AddressType {
    largest.required_address_type()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_exactly_one_block_and_every_channel_in_one_column() {
        for rows in [1, 2, 63, 64, 65, 1000, 50_176, 6_422_528] {
            for channels in [1, 3, 6, 64, 100, 2048] {
                for (most, run) in [
                    (1, 1),
                    (MOST_JOINED, 1),
                    (MOST_BLOCKS, 1),
                    (MOST_JOINED, 8),
                    (MOST_BLOCKS, 32),
                ] {
                    let grid = Grid::new(rows, channels, most, run);
                    assert_eq!(grid.width * grid.vector, channels);
                    assert!(grid.rows_per_block.is_multiple_of(run), "{grid:?}");
                    assert!(grid.blocks * grid.rows_per_block >= rows, "{grid:?}");
                    assert!((grid.blocks - 1) * grid.rows_per_block < rows, "{grid:?}");
                    assert!(grid.blocks <= most, "{grid:?}");
                    assert_eq!(grid.across * grid.down, UNITS);
                }
            }
        }
    }
}
