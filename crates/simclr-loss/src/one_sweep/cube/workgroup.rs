//! What the threads of a workgroup find together.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Threads of a workgroup: a power of two that every device of `CubeCL` has.
pub(super) const UNITS: u32 = 256;

/// The largest of the values that the threads of the workgroup have.
#[cube]
pub(super) fn largest_of_units(value: f32) -> f32 {
    let mut values = Shared::<[f32]>::new_slice(UNITS as usize);
    values[UNIT_POS_X as usize] = value;
    sync_cube();
    let mut active = CUBE_DIM_X / 2;
    while active > 0 {
        if UNIT_POS_X < active {
            let other = values[(UNIT_POS_X + active) as usize];
            values[UNIT_POS_X as usize] = max(values[UNIT_POS_X as usize], other);
        }
        active /= 2;
        sync_cube();
    }
    values[0]
}

/// The sum of the values that the threads of the workgroup have, in the same order every time.
#[cube]
pub(super) fn sum_of_units(value: f32) -> f32 {
    let mut values = Shared::<[f32]>::new_slice(UNITS as usize);
    values[UNIT_POS_X as usize] = value;
    sync_cube();
    let mut active = CUBE_DIM_X / 2;
    while active > 0 {
        if UNIT_POS_X < active {
            let other = values[(UNIT_POS_X + active) as usize];
            values[UNIT_POS_X as usize] += other;
        }
        active /= 2;
        sync_cube();
    }
    values[0]
}
