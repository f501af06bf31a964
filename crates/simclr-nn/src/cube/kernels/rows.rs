//! The part of a matrix that a unit has.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// A matrix of rows of vectors, and how a launch cuts it: a [`Grid`](crate::cube::grid::Grid) as kernels see it.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Rows {
    pub(super) count: usize,
    width: usize,
    per_block: usize,
    #[cube(comptime)]
    pub(super) across: usize,
    #[cube(comptime)]
    pub(super) down: usize,
    #[cube(comptime)]
    pub(super) run: usize,
}

#[cube]
impl Rows {
    /// The unit's place in a row.
    pub(super) fn column(&self) -> usize {
        CUBE_POS_X as usize * comptime![self.across] + UNIT_POS_X as usize
    }

    /// Whether rows have this place.
    pub(super) fn has(&self, column: usize) -> bool {
        column < self.width
    }

    /// The unit's first row. Its runs of rows begin there, and each a [`stride`](Self::stride) further.
    pub(super) fn first(&self) -> usize {
        CUBE_POS_Y as usize * self.per_block + UNIT_POS_Y as usize * comptime![self.run]
    }

    /// The end of the unit's block of rows.
    pub(super) fn end(&self) -> usize {
        min((CUBE_POS_Y as usize + 1) * self.per_block, self.count)
    }

    /// From one run of the unit to the next.
    pub(super) fn stride(&self) -> usize {
        comptime![self.down * self.run].runtime()
    }

    /// The vector in a place of a row.
    pub(super) fn at(&self, row: usize, column: usize) -> usize {
        row * self.width + column
    }

    /// The word for a place of the run that begins at `row`.
    pub(super) fn word(&self, row: usize, column: usize) -> usize {
        row / comptime![self.run] * self.width + column
    }

    /// The place for the unit's column in a row for each block.
    pub(super) fn of_block(&self, column: usize) -> usize {
        CUBE_POS_Y as usize * self.width + column
    }

    /// How many rows a block has: the last may have fewer.
    pub(super) fn in_block(&self, block: usize) -> usize {
        min(self.count - block * self.per_block, self.per_block)
    }
}
