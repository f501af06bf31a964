//! Which pixel a unit has.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// `n` views of `size` x `size` pixels. Each cube has a block of pixels of one view, as many as it has units.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Places {
    pub(super) n: usize,
    pub(super) size: usize,
    /// Cubes of a view.
    pub(super) blocks: usize,
    #[cube(comptime)]
    pub(super) units: usize,
}

#[cube]
impl Places {
    /// View and pixel of the unit, and whether there is such a view and such a pixel.
    pub(super) fn own(&self) -> (usize, usize, bool) {
        let view = CUBE_POS / self.blocks;
        let pixel = CUBE_POS % self.blocks * comptime![self.units] + UNIT_POS as usize;
        (view, pixel, view < self.n && pixel < self.size * self.size)
    }
}
