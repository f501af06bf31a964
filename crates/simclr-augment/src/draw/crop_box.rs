use std::fmt;

use serde::{Deserialize, Serialize};

use super::draws::Draws;

/// A rectangle of whole pixels in the source image, or in a view.
///
/// ```
/// use simclr_augment::CropBox;
///
/// let crop = CropBox { x: 35, y: 0, width: 10, height: 20 };
/// assert_eq!(crop.to_string(), "10x20 at (35, 0)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropBox {
    /// Left edge, in pixels from the image's left.
    pub x: u32,
    /// Top edge, in pixels from the image's top.
    pub y: u32,
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
}

impl CropBox {
    /// The box that covers an image of this size.
    #[must_use]
    pub fn whole(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// One attempt at a box: its area uniform in a share of width x height, the logarithm of its aspect
    /// ratio uniform, its place uniform; `None` if a rounded side is 0 or above the largest that is allowed.
    pub(crate) fn draw(
        draws: &mut Draws,
        area: [f64; 2],
        log_aspect: [f64; 2],
        [width, height]: [u32; 2],
        largest: [u32; 2],
    ) -> Option<Self> {
        let area = f64::from(width) * f64::from(height) * draws.uniform(area);
        let aspect = libm::exp(draws.uniform(log_aspect));
        let sides = [(area * aspect).sqrt(), (area / aspect).sqrt()].map(f64::round_ties_even);
        let fits = |side: f64, largest: u32| (1.0..=f64::from(largest)).contains(&side);
        if !(fits(sides[0], largest[0]) && fits(sides[1], largest[1])) {
            return None;
        }
        let [box_width, box_height] = sides.map(|side| side as u32);
        let (x, y) = (draws.below(width - box_width + 1), draws.below(height - box_height + 1));
        Some(Self { x, y, width: box_width, height: box_height })
    }

    /// Whether the box has a pixel and all its pixels are inside `width x height`.
    pub(crate) fn lies_inside(self, width: u32, height: u32) -> bool {
        // A box may come from a file: the sums of its numbers need 64 bits.
        let fits = |start: u32, length: u32, limit: u32| {
            length > 0 && u64::from(start) + u64::from(length) <= u64::from(limit)
        };
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

impl fmt::Display for CropBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at ({}, {})", self.width, self.height, self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_may_touch_the_image_edge_and_not_cross_it() {
        assert!(CropBox { x: 30, y: 20, width: 10, height: 10 }.lies_inside(40, 30));
        assert!(CropBox::whole(40, 30).lies_inside(40, 30));
        assert!(!CropBox { x: 35, y: 0, width: 10, height: 20 }.lies_inside(40, 30));
    }

    #[test]
    fn an_empty_box_is_refused() {
        assert!(!CropBox::whole(0, 30).lies_inside(40, 30));
        assert!(!CropBox::whole(0, 0).lies_inside(0, 0));
    }

    #[test]
    fn a_box_whose_edges_overflow_is_refused() {
        let crop = CropBox { x: u32::MAX, y: u32::MAX, width: u32::MAX, height: u32::MAX };
        assert!(!crop.lies_inside(40, 30));
    }
}
