//! The rules that several configs share.
//!
//! Each states what is legal: NaN, for which every comparison is false, is then refused.

use simclr_range::OutOfRange;

/// The largest side of a view. At this size the values of a view can still be counted in 32 bits.
const LARGEST_SIZE: u32 = 16_384;

pub(crate) fn size(size: u32) -> Result<(), OutOfRange> {
    OutOfRange::unless((1..=LARGEST_SIZE).contains(&size), "size", "in 1..=16384", size)
}

pub(super) fn probability(field: &'static str, value: f64) -> Result<(), OutOfRange> {
    OutOfRange::unless((0.0..=1.0).contains(&value), field, "in 0..=1", value)
}

/// The smallest and the largest share of an area.
pub(super) fn area([min, max]: [f64; 2]) -> Result<(), OutOfRange> {
    let legal = min > 0.0 && min <= max && max <= 1.0;
    range("area", legal, "[min, max] with 0 < min <= max <= 1", [min, max])
}

/// The smallest and the largest aspect ratio.
pub(super) fn aspect([min, max]: [f64; 2]) -> Result<(), OutOfRange> {
    let legal = min > 0.0 && min <= max && max.is_finite();
    range("aspect", legal, "[min, max] with 0 < min <= max, both finite", [min, max])
}

/// A range to draw from.
pub(super) fn range(
    field: &'static str,
    legal: bool,
    expected: &'static str,
    found: [f64; 2],
) -> Result<(), OutOfRange> {
    OutOfRange::unless(legal, field, expected, format_args!("{found:?}"))
}
