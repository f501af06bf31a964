use crate::draw::{PaddedWindow, PaddingFill, ViewParams};

/// One side of a view: which pixels of the resized crop lie along it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    /// Pixels of the crop.
    pub(crate) input: u32,
    /// Pixels of the resized crop.
    pub(crate) resized: u32,
    /// Where the view begins in the resized crop; below 0 if it begins in the padding.
    pub(crate) start: i64,
    /// Pixels of the view.
    pub(crate) output: u32,
    /// Whether the last pixel comes first.
    pub(crate) mirrored: bool,
    /// What lies beyond the resized crop.
    pub(crate) beyond: PaddingFill,
}

impl Axis {
    /// The whole crop, resized.
    pub(crate) fn whole(input: u32, output: u32, mirrored: bool) -> Self {
        Self { input, resized: output, start: 0, output, mirrored, beyond: PaddingFill::Black }
    }

    /// The width and the height of a view of `width x height` pixels, or of the part of a view that the crop
    /// fills. The parameters are checked.
    pub(crate) fn of_view(params: &ViewParams, output: [u32; 2]) -> [Self; 2] {
        let &ViewParams { crop, flip, vertical_flip, padded, .. } = params;
        let [mut x, mut y] = [
            Self::whole(crop.width, output[0], flip),
            Self::whole(crop.height, output[1], vertical_flip),
        ];
        if let Some(window) = padded {
            let [width, height] = PaddedWindow::resized([crop.width, crop.height], output[0]);
            let start = |edge: u32| i64::from(edge) - i64::from(window.padding);
            x = Self { resized: width, start: start(window.x), beyond: window.fill, ..x };
            y = Self { resized: height, start: start(window.y), beyond: window.fill, ..y };
        }
        [x, y]
    }

    /// The pixel of the resized crop that lies at `place` of the view; `None` for a black one.
    pub(crate) fn source(&self, place: u32) -> Option<u32> {
        let place = if self.mirrored { self.output - 1 - place } else { place };
        let (index, last) = (self.start + i64::from(place), i64::from(self.resized) - 1);
        let index = match self.beyond {
            PaddingFill::Reflect if index < 0 => -index,
            PaddingFill::Reflect if index > last => 2 * last - index,
            _ => index,
        };
        u32::try_from(index).ok().filter(|&index| index < self.resized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(beyond: PaddingFill, start: i64, mirrored: bool) -> Vec<Option<u32>> {
        let axis = Axis { start, beyond, ..Axis::whole(5, 5, mirrored) };
        (0..5).map(|place| axis.source(place)).collect()
    }

    #[test]
    fn beyond_the_ends_pixels_are_black_or_mirrored_without_the_border() {
        let (black, reflect) = (PaddingFill::Black, PaddingFill::Reflect);
        let found = [sources(black, -2, false), sources(reflect, -2, false)];
        assert_eq!(found[0], [None, None, Some(0), Some(1), Some(2)]);
        assert_eq!(found[1], [2, 1, 0, 1, 2].map(Some));
        let found = [sources(black, 3, true), sources(reflect, 3, true)];
        assert_eq!(found[0], [None, None, None, Some(4), Some(3)]);
        assert_eq!(found[1], [1, 2, 3, 4, 3].map(Some));
    }
}
