//! What of an image is needed, and what there is of it.

use image::RgbImage;

/// How finely an image is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Resolution {
    /// One pixel for eight by eight.
    Eighth,
    /// One pixel for four by four.
    Quarter,
    /// One pixel for two by two.
    Half,
    /// Each pixel.
    #[default]
    Full,
}

impl Resolution {
    /// The coarsest at which `pixels` still are at least `needed` pixels.
    ///
    /// ```
    /// use simclr_data::Resolution;
    ///
    /// assert_eq!(Resolution::covering(900, 224), Resolution::Quarter);
    /// assert_eq!(Resolution::covering(895, 224), Resolution::Half);
    /// assert_eq!(Resolution::covering(100, 224), Resolution::Full);
    /// ```
    #[must_use]
    pub fn covering(pixels: u32, needed: u32) -> Self {
        let all = [Self::Eighth, Self::Quarter, Self::Half];
        all.into_iter().find(|it| pixels / it.divisor() >= needed).unwrap_or(Self::Full)
    }

    /// The pixels of the image, along each side, that become one: 1, 2, 4 or 8.
    #[must_use]
    pub fn divisor(self) -> u32 {
        match self {
            Self::Eighth => 8,
            Self::Quarter => 4,
            Self::Half => 2,
            Self::Full => 1,
        }
    }
}

/// What of an image is needed: a rectangle of its pixels, and how finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImagePart {
    /// Left edge, in pixels of the upright image.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width in pixels of the image.
    pub width: u32,
    /// Height in pixels of the image.
    pub height: u32,
    /// The coarsest resolution that will do.
    pub resolution: Resolution,
}

impl ImagePart {
    /// Each pixel of an image of this size.
    #[must_use]
    pub fn whole(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height, resolution: Resolution::Full }
    }
}

/// An image, or a part of it, maybe at a lower resolution.
///
/// ```
/// use image::RgbImage;
/// use simclr_data::PartialImage;
///
/// let whole = PartialImage::whole(RgbImage::new(40, 30));
/// assert_eq!(whole.place(5, 6, 20, 10), [5, 6, 20, 10]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PartialImage {
    pixels: RgbImage,
    corner: [i64; 2],
    resolution: Resolution,
}

impl PartialImage {
    /// All of an image.
    #[must_use]
    pub fn whole(image: RgbImage) -> Self {
        Self { pixels: image, corner: [0, 0], resolution: Resolution::Full }
    }

    /// Pixels whose top left corner lies at `corner` in the image, in pixels of the image.
    pub(crate) fn new(pixels: RgbImage, corner: [i64; 2], resolution: Resolution) -> Self {
        Self { pixels, corner, resolution }
    }

    /// Its pixels.
    #[must_use]
    pub fn pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// Its pixels.
    #[must_use]
    pub fn into_pixels(self) -> RgbImage {
        self.pixels
    }

    /// Its resolution.
    #[must_use]
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Where a rectangle of the image lies in [`pixels`](Self::pixels): left and top edge, width and height. At a lower resolution
    /// edges are rounded to the nearest pixel, but a side is at least one. Of a rectangle beyond the part that was asked for, the place
    /// means nothing.
    #[must_use]
    pub fn place(&self, x: u32, y: u32, width: u32, height: u32) -> [u32; 4] {
        let divisor = i64::from(self.resolution.divisor());
        let axis = |start: u32, length: u32, corner: i64| {
            let start = i64::from(start) - corner;
            let rounded = |edge: i64| (edge + divisor / 2).div_euclid(divisor);
            let [mut first, mut end] = [start, start + i64::from(length)].map(rounded);
            if first == end && length > 0 {
                first = start.div_euclid(divisor);
                end = first + 1;
            }
            [first, end - first].map(|value| u32::try_from(value.max(0)).unwrap_or(u32::MAX))
        };
        let [[x, width], [y, height]] =
            [axis(x, width, self.corner[0]), axis(y, height, self.corner[1])];
        [x, y, width, height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_found_at_any_resolution() {
        let part =
            |corner, resolution| PartialImage::new(RgbImage::new(50, 50), corner, resolution);
        assert_eq!(part([10, 4], Resolution::Full).place(12, 4, 30, 20), [2, 0, 30, 20]);
        assert_eq!(part([16, 0], Resolution::Quarter).place(18, 5, 37, 3), [1, 1, 9, 1]);
        assert_eq!(part([-3, 0], Resolution::Quarter).place(0, 0, 6, 400), [1, 0, 1, 100]);
        assert_eq!(part([0, 0], Resolution::Eighth).place(9, 9, 1, 0), [1, 1, 1, 0]);
    }

    #[test]
    fn the_coarsest_resolution_that_covers_is_chosen() {
        for (pixels, expected) in [
            (0, Resolution::Full),
            (447, Resolution::Full),
            (448, Resolution::Half),
            (1791, Resolution::Quarter),
            (1792, Resolution::Eighth),
            (u32::MAX, Resolution::Eighth),
        ] {
            assert_eq!(Resolution::covering(pixels, 224), expected, "{pixels}");
        }
    }
}
