//! Where a picture lies in another.

/// Where a picture lies in another, along one axis. Coordinates are -1 at the first edge and 1 at the last: `u` of the picture is
/// `scale * u + shift` of the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) scale: f64,
    pub(super) shift: f64,
}

/// Where a picture lies in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// The scales and the largest shift that are looked for. A picture that lacks a tenth of the other on one side has a scale of 0.9 and a shift of 0.1.
const SCALES: std::ops::RangeInclusive<f64> = 0.8..=1.25;
const LARGEST_SHIFT: f64 = 0.25;

impl Axis {
    pub(super) const WHOLE: Self = Self { scale: 1.0, shift: 0.0 };

    /// The pixel, of `side`, that pixel `at` of a picture of as many lies on.
    pub(super) fn pixel(self, at: usize, side: usize) -> f64 {
        let coordinate = self.scale * coordinate(at, side) + self.shift;
        ((coordinate + 1.0) * side as f64 - 1.0) / 2.0
    }

    fn is_legal(self) -> bool {
        SCALES.contains(&self.scale) && self.shift.abs() <= LARGEST_SHIFT
    }
}

/// The coordinate of the middle of pixel `at` of `side`.
pub(super) fn coordinate(at: usize, side: usize) -> f64 {
    (2 * at + 1) as f64 / side as f64 - 1.0
}

impl Placement {
    /// One picture exactly over the other.
    pub(super) const WHOLE: Self = Self { x: Axis::WHOLE, y: Axis::WHOLE };

    pub(super) fn is_legal(&self) -> bool {
        self.x.is_legal() && self.y.is_legal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_in_the_middle_keeps_the_middle_and_cuts_the_edges() {
        let crop = Axis { scale: 0.9, shift: 0.0 };
        assert!(
            (crop.pixel(0, 10) - 0.45).abs() < 1e-12 && (crop.pixel(9, 10) - 8.55).abs() < 1e-12
        );
        assert!((Axis::WHOLE.pixel(3, 10) - 3.0).abs() < 1e-12);
        assert!(!Placement { x: Axis { scale: 0.5, shift: 0.0 }, y: Axis::WHOLE }.is_legal());
    }
}
