//! How much of an image its views need.

use serde::{Deserialize, Serialize};
use simclr_augment::{CropBox, ViewParams};
use simclr_data::{ImagePart, PartialImage, Resolution};

/// How finely images are decoded for their views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decoding {
    /// At the coarsest of 1/1, 1/2, 1/4 and 1/8 at which the crop of each view has at least the pixels of the view. Where a format has
    /// no such thing, at 1/1: only sequential JPEGs have.
    #[default]
    Scaled,
    /// At 1/1.
    Full,
}

impl Decoding {
    /// That of runs which began before there was a choice, and whose config doesn't have it.
    pub(crate) fn full() -> Self {
        Self::Full
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub(crate) fn is_full(&self) -> bool {
        *self == Self::Full
    }

    /// What of an image its views need, each with its width and height in pixels: the rectangle that has all crops.
    ///
    /// # Panics
    ///
    /// If there is no view.
    ///
    /// ```
    /// use simclr_augment::{CropBox, ViewParams};
    /// use simclr_data::Resolution;
    /// use simclr_train::Decoding;
    ///
    /// let crop = |x, y, width, height| ViewParams::only_crop(CropBox { x, y, width, height });
    /// let views = [crop(100, 0, 900, 900), crop(0, 200, 500, 450)];
    /// let part = Decoding::Scaled.needed_part(views.iter().map(|view| (view, 224)));
    /// assert_eq!([part.x, part.y, part.width, part.height], [0, 0, 1000, 900]);
    /// assert_eq!(part.resolution, Resolution::Half, "450 pixels become 225");
    /// ```
    #[must_use]
    pub fn needed_part<'a>(
        self,
        views: impl IntoIterator<Item = (&'a ViewParams, u32)>,
    ) -> ImagePart {
        let of_view = |(params, size)| self.part_of_view(params, size);
        views.into_iter().map(of_view).reduce(both).expect("expected a view, found none")
    }

    /// What one view of `size` x `size` pixels needs.
    fn part_of_view(self, params: &ViewParams, size: u32) -> ImagePart {
        let CropBox { x, y, width, height } = params.crop;
        // A padded crop rounds the sides of the image.
        let whole = self == Self::Full || params.padded.is_some();
        let resolution =
            if whole { Resolution::Full } else { Resolution::covering(width.min(height), size) };
        ImagePart { x, y, width, height, resolution }
    }

    /// The parameters that make the view out of `part`, instead of out of the whole image that they were drawn for.
    #[must_use]
    pub fn within(part: &PartialImage, params: &ViewParams) -> ViewParams {
        let CropBox { x, y, width, height } = params.crop;
        let [x, y, width, height] = part.place(x, y, width, height);
        ViewParams { crop: CropBox { x, y, width, height }, ..params.clone() }
    }
}

/// The smallest part that has both, as finely as the finer one.
fn both(a: ImagePart, b: ImagePart) -> ImagePart {
    let end = |start: u32, length: u32| start.saturating_add(length);
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let right = end(a.x, a.width).max(end(b.x, b.width));
    let bottom = end(a.y, a.height).max(end(b.y, b.height));
    let resolution = a.resolution.max(b.resolution);
    ImagePart { x, y, width: right - x, height: bottom - y, resolution }
}

#[cfg(test)]
mod tests {
    use simclr_augment::{PaddedCropConfig, PaddingFill, SimClrAugmentation, ViewKey};

    use super::*;

    fn views(crops: [[u32; 4]; 2]) -> [ViewParams; 2] {
        crops.map(|[x, y, width, height]| ViewParams::only_crop(CropBox { x, y, width, height }))
    }

    #[test]
    fn both_crops_are_decoded_as_finely_as_the_smaller_one_needs() {
        let far = views([[100, 40, 900, 1000], [700, 10, 500, 450]]);
        let part = |resolution| ImagePart { x: 100, y: 10, width: 1100, height: 1030, resolution };
        assert_eq!(
            Decoding::Scaled.needed_part(far.iter().map(|view| (view, 224))),
            part(Resolution::Half)
        );
        assert_eq!(
            Decoding::Scaled.needed_part(far.iter().map(|view| (view, 226))),
            part(Resolution::Full)
        );
        assert_eq!(
            Decoding::Scaled.needed_part(far.iter().map(|view| (view, 32))),
            part(Resolution::Eighth)
        );
        assert_eq!(
            Decoding::Full.needed_part(far.iter().map(|view| (view, 32))),
            part(Resolution::Full)
        );
    }

    #[test]
    fn padded_crops_and_images_without_pixels_are_decoded_at_full_resolution() {
        let mut config = SimClrAugmentation::cifar10().config().clone();
        config.padded_crop = Some(PaddedCropConfig { padding: 4, fill: PaddingFill::Black });
        let policy = SimClrAugmentation::new(config).unwrap();
        let draw = |view, width, height| {
            policy.draw(ViewKey { seed: 1, pass: 0, index: 0, view }, width, height)
        };
        let padded = [draw(0, 900, 700), draw(1, 900, 700)];
        assert_eq!(
            Decoding::Scaled.needed_part(padded.iter().map(|view| (view, 32))),
            ImagePart::whole(900, 700)
        );
        let empty = [draw(0, 0, 0), draw(1, 0, 0)];
        assert_eq!(
            Decoding::Scaled.needed_part(empty.iter().map(|view| (view, 32))),
            ImagePart::whole(0, 0)
        );
    }
}
