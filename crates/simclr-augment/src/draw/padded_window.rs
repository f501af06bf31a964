use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::padding_fill::PaddingFill;

/// The window that a padded crop cuts out of its image, in pixels of the view: see
/// [`PaddedCropConfig`](crate::PaddedCropConfig).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaddedWindow {
    /// Left edge, from the left of the padded image; 0 to twice the padding for a square image.
    pub x: u32,
    /// Top edge, from the top of the padded image.
    pub y: u32,
    /// Pixels on each side of the image, below the view's size.
    pub padding: u32,
    /// What they show.
    pub fill: PaddingFill,
}

impl PaddedWindow {
    /// Width and height of an image after resizing, when its shorter side has `size` pixels. The longer
    /// one is rounded down, as in torchvision.
    pub(crate) fn resized([width, height]: [u32; 2], size: u32) -> [u32; 2] {
        let shorter = u64::from(width.min(height).max(1));
        [width, height].map(|side| {
            let side = u64::from(side) * u64::from(size) / shorter;
            u32::try_from(side).unwrap_or(u32::MAX)
        })
    }

    /// The largest `x` and `y` with which the window lies inside the padded image.
    pub(crate) fn largest_start(image: [u32; 2], size: u32, padding: u32) -> [u32; 2] {
        let start = |side: u32| side.saturating_sub(size).saturating_add(2 * padding);
        Self::resized(image, size).map(start)
    }

    /// Whether it is a window of a view of `size x size` in an image of these sides.
    pub(super) fn check(self, image: [u32; 2], size: u32) -> Result<(), OutOfRange> {
        let legal = self.padding < size;
        OutOfRange::unless(legal, "padding", "below the size of a view", self.padding)?;
        let [x, y] = Self::largest_start(image, size, self.padding);
        // No message of its own for each number: the check of a legal window allocates nothing.
        let expected = "the start of a window inside the padded image";
        OutOfRange::unless(self.x <= x, "x", expected, self.x)?;
        OutOfRange::unless(self.y <= y, "y", expected, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_becomes_the_views_and_the_longer_one_is_rounded_down() {
        assert_eq!(PaddedWindow::resized([32, 32], 32), [32, 32]);
        assert_eq!(PaddedWindow::resized([60, 44], 20), [27, 20]);
        assert_eq!(PaddedWindow::resized([1, 50], 32), [32, 1600]);
        assert_eq!(PaddedWindow::resized([u32::MAX, 1], 16_384), [u32::MAX, 16_384]);
        assert_eq!(PaddedWindow::largest_start([60, 44], 20, 3), [13, 6]);
    }
}
