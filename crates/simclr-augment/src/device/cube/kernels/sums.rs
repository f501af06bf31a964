//! Sums over the units of a cube, in an order that is always the same.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// The sums of three values of all units, for each of them.
#[cube]
pub(super) fn sums_of_units(
    red: f32,
    green: f32,
    blue: f32,
    #[comptime] units: usize,
) -> (f32, f32, f32) {
    let mut reds = Shared::<[f32]>::new_slice(units);
    let mut greens = Shared::<[f32]>::new_slice(units);
    let mut blues = Shared::<[f32]>::new_slice(units);
    let at = UNIT_POS as usize;
    reds[at] = red;
    greens[at] = green;
    blues[at] = blue;
    let steps = comptime![units.ilog2()];
    #[unroll]
    for step in 0..steps {
        let half = comptime![units >> (step + 1)];
        sync_cube();
        if at < half {
            let red = reds[at] + reds[at + half];
            let green = greens[at] + greens[at + half];
            let blue = blues[at] + blues[at + half];
            reds[at] = red;
            greens[at] = green;
            blues[at] = blue;
        }
    }
    sync_cube();
    (reds[0], greens[0], blues[0])
}
