//! Which pixel a unit has.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// View and pixel of a unit, and whether there is such a view and such a pixel.
#[cube]
pub(super) fn place(
    n: usize,
    size: usize,
    blocks: usize,
    #[comptime] units: usize,
) -> (usize, usize, bool) {
    let view = CUBE_POS / blocks;
    let pixel = CUBE_POS % blocks * units + UNIT_POS as usize;
    (view, pixel, view < n && pixel < size * size)
}
