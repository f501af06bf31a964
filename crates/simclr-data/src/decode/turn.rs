//! Where the rows and columns of an upright image lie in the stored one.

use image::metadata::Orientation;

/// An orientation, taken apart.
pub(super) struct Turn {
    /// Whether the upright image's columns are the stored one's rows.
    swaps_axes: bool,
    /// Whether the upright image begins, across and down, where the stored one ends.
    is_mirrored: [bool; 2],
}

impl Turn {
    pub(super) fn of(orientation: Orientation) -> Self {
        let (swaps_axes, is_mirrored) = match orientation {
            Orientation::NoTransforms => (false, [false, false]),
            Orientation::FlipHorizontal => (false, [true, false]),
            Orientation::FlipVertical => (false, [false, true]),
            Orientation::Rotate180 => (false, [true, true]),
            Orientation::Rotate90 => (true, [true, false]),
            Orientation::Rotate270 => (true, [false, true]),
            Orientation::Rotate90FlipH => (true, [false, false]),
            Orientation::Rotate270FlipH => (true, [true, true]),
        };
        Self { swaps_axes, is_mirrored }
    }

    /// Width and height of the upright image, from those of the stored one; and the other way round.
    pub(super) fn swapped<T>(&self, [a, b]: [T; 2]) -> [T; 2] {
        if self.swaps_axes { [b, a] } else { [a, b] }
    }

    /// Where a range of the upright image, along its width (axis 0) or height (1) of `length` pixels, begins in the stored one.
    pub(super) fn stored_start(&self, axis: usize, [start, end]: [i64; 2], length: i64) -> i64 {
        if self.is_mirrored[axis] { length - end } else { start }
    }
}
