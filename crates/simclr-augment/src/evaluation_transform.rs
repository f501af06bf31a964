use image::RgbImage;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::config::{Fit, Ground, Normalization, ResizeFilter, rules};
use crate::cpu::Output;
use crate::draw::{CropBox, ViewParams};
use crate::error::AugmentationError;

/// The share of the image's short side that the centred crop keeps.
const CROP_PROPORTION: f64 = 0.875;

/// Views of this size or less are never cropped, as they have no border to spare.
const LARGEST_UNCROPPED_SIZE: u32 = 32;

/// The transform of an image to an encoder's input when nothing may be random: for features, kNN and
/// probes.
///
/// It crops the centred square with 0.875 times the short side and resizes it to `size x size`, as
/// google's `preprocess_for_eval` does (`CROP_PROPORTION`). That is the geometry of torchvision's
/// "resize the short side to 256, cut the central 224" in a single resampling. Two cases keep the
/// largest centred square: an image that already has the view's size, whose pixels stay as they are,
/// and views of at most 32 px, as in google's CIFAR-10 recipe. With another [`Fit`], nothing of a tall or
/// wide image is lost.
///
/// ```
/// use image::{Rgb, RgbImage};
/// use simclr_augment::{CropBox, SimClrAugmentation};
///
/// let evaluation = SimClrAugmentation::imagenet().evaluation();
/// assert_eq!(evaluation.params(320, 256).crop, CropBox { x: 48, y: 16, width: 224, height: 224 });
///
/// let mut input = vec![0.0; evaluation.view_len()];
/// evaluation.view_into(&RgbImage::from_pixel(320, 256, Rgb([255, 0, 0])), &mut input)?;
/// assert!((input[0] - (1.0 - 0.485) / 0.229).abs() < 1e-6);
/// # Ok::<(), simclr_augment::AugmentationError>(())
/// ```
///
/// serde writes it as `size`, `filter`, `normalization`, `fit` unless it crops, and `ground`
/// unless it is white; a deserialiser checks them as [`new`](Self::new) does, and refuses other fields:
///
/// ```
/// use simclr_augment::EvaluationTransform;
///
/// let json = r#"{"size":0,"filter":"bilinear","normalization":{"mean":[0,0,0],"std":[1,1,1]}}"#;
/// let error = serde_json::from_str::<EvaluationTransform>(json).unwrap_err();
/// assert_eq!(error.to_string(), "expected size to be in 1..=16384, found 0");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Output", into = "Output")]
pub struct EvaluationTransform {
    output: Output,
}

impl EvaluationTransform {
    /// The transform to `size x size` pixels. Filter and normalisation must be those of pretraining:
    /// [`SimClrAugmentation::evaluation`](crate::SimClrAugmentation::evaluation) takes all three from
    /// the policy.
    ///
    /// # Errors
    /// [`OutOfRange`] for a size outside 1 to 16384, or an invalid normalisation.
    pub fn new(
        size: u32,
        filter: ResizeFilter,
        normalization: Normalization,
    ) -> Result<Self, OutOfRange> {
        Output { size, filter, normalization, fit: Fit::Crop, ground: Ground::WHITE }.try_into()
    }

    /// From values that are valid by construction.
    pub(crate) fn of(output: Output) -> Self {
        Self { output }
    }

    /// The same transform with another way to a square.
    ///
    /// ```
    /// use simclr_augment::{CropBox, Fit, SimClrAugmentation};
    ///
    /// let evaluation = SimClrAugmentation::imagenet().evaluation().with_fit(Fit::Pad);
    /// assert_eq!(evaluation.params(320, 256).crop, CropBox::whole(320, 256));
    /// ```
    #[must_use]
    pub fn with_fit(mut self, fit: Fit) -> Self {
        self.output.fit = fit;
        self
    }

    /// The same transform to `size x size` pixels.
    ///
    /// # Errors
    /// [`OutOfRange`] for a size outside 1 to 16384.
    pub fn with_size(&self, size: u32) -> Result<Self, OutOfRange> {
        Output { size, ..self.output.clone() }.try_into()
    }

    /// How an image becomes a square.
    #[must_use]
    pub fn fit(&self) -> Fit {
        self.output.fit
    }

    /// The same transform for images whose transparent parts lie on another ground.
    #[must_use]
    pub fn with_ground(mut self, ground: Ground) -> Self {
        self.output.ground = ground;
        self
    }

    /// What transparent images lie on, for whoever decodes them: the transform gets opaque pixels.
    #[must_use]
    pub fn ground(&self) -> Ground {
        self.output.ground
    }

    /// Width and height of the result in pixels.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.output.size
    }

    /// The filter that resizes the images.
    #[must_use]
    pub fn filter(&self) -> ResizeFilter {
        self.output.filter
    }

    /// The normalisation of the last step.
    #[must_use]
    pub fn normalization(&self) -> &Normalization {
        &self.output.normalization
    }

    /// The number of values in one result: `3 * size * size`.
    #[must_use]
    pub fn view_len(&self) -> usize {
        self.output.len()
    }

    /// The parameters of the transform for an image of `width x height` pixels: a centred crop, or the
    /// whole image, and no other step.
    #[must_use]
    pub fn params(&self, width: u32, height: u32) -> ViewParams {
        if !self.output.fit.is_crop() {
            return ViewParams::only_crop(CropBox::whole(width, height));
        }
        let short = width.min(height);
        let size = self.output.size;
        let uncropped = size <= LARGEST_UNCROPPED_SIZE || [width, height] == [size; 2];
        let proportion = if uncropped { 1.0 } else { CROP_PROPORTION };
        let side = ((proportion * f64::from(short)).round_ties_even() as u32).max(1).min(short);
        // Of an odd margin the larger half is at the top and the left, as in google's `center_crop`.
        let start = |length: u32| (length - side).div_ceil(2);
        ViewParams::only_crop(CropBox {
            x: start(width),
            y: start(height),
            width: side,
            height: side,
        })
    }

    /// Transforms an image to a picture, to look at: not normalised.
    ///
    /// # Errors
    /// [`AugmentationError::CropOutsideImage`] for an image without pixels.
    pub fn view(&self, image: &RgbImage) -> Result<RgbImage, AugmentationError> {
        self.output.render_image(image, &self.params(image.width(), image.height()), &[])
    }

    /// Transforms an image to an encoder's input: `[3, size, size]`, channel by channel, row by
    /// row, normalised.
    ///
    /// # Errors
    /// [`AugmentationError::CropOutsideImage`] for an image without pixels, and
    /// [`AugmentationError::OutputLength`] if `out` does not hold [`view_len`](Self::view_len)
    /// values.
    pub fn view_into(&self, image: &RgbImage, out: &mut [f32]) -> Result<(), AugmentationError> {
        let params = self.params(image.width(), image.height());
        self.output.render_into(image, &params, &[], out)
    }
}

impl TryFrom<Output> for EvaluationTransform {
    type Error = OutOfRange;

    fn try_from(output: Output) -> Result<Self, OutOfRange> {
        rules::size(output.size)?;
        output.normalization.check()?;
        Ok(Self { output })
    }
}

impl From<EvaluationTransform> for Output {
    fn from(transform: EvaluationTransform) -> Self {
        transform.output
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn transform(size: u32) -> EvaluationTransform {
        EvaluationTransform::new(size, ResizeFilter::Bilinear, Normalization::NONE).unwrap()
    }

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]))
    }

    #[test]
    fn an_image_of_the_view_size_keeps_every_pixel() {
        let image = gradient(96, 96);
        assert_eq!(transform(96).view(&image).unwrap(), image);
    }

    #[test]
    fn views_of_32_pixels_use_the_whole_square() {
        assert_eq!(transform(32).params(64, 64).crop, CropBox::whole(64, 64));
        assert_eq!(
            transform(33).params(64, 64).crop,
            CropBox { x: 4, y: 4, width: 56, height: 56 }
        );
    }

    #[test]
    fn an_odd_margin_goes_to_the_top_and_left() {
        assert_eq!(
            transform(96).params(101, 100).crop,
            CropBox { x: 7, y: 6, width: 88, height: 88 }
        );
    }

    #[test]
    fn any_image_with_a_pixel_can_be_evaluated() {
        for (width, height) in [(1, 1), (1, 90), (90, 1), (2, 3)] {
            assert_eq!(
                transform(40).view(&gradient(width, height)).unwrap().dimensions(),
                (40, 40)
            );
        }
    }

    #[test]
    fn an_image_without_pixels_is_an_error() {
        let error = transform(40).view(&RgbImage::new(0, 0)).unwrap_err();
        assert!(matches!(error, AugmentationError::CropOutsideImage { .. }), "{error}");
    }

    #[test]
    fn values_are_normalised_channel_by_channel() {
        let normalization = Normalization { mean: [0.0, 0.5, 1.0], std: [1.0, 0.5, 2.0] };
        let transform = EvaluationTransform::new(2, ResizeFilter::Bilinear, normalization).unwrap();
        let mut out = vec![0.0; 12];
        transform.view_into(&RgbImage::from_pixel(2, 2, Rgb([255, 255, 0])), &mut out).unwrap();
        assert_eq!(out, [[1.0; 4], [1.0; 4], [-0.5; 4]].concat());
    }

    #[test]
    fn an_output_of_the_wrong_length_is_an_error() {
        let error = transform(4).view_into(&gradient(4, 4), &mut [0.0; 47]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an output of 48 values (3 x size x size), found 47"
        );
    }

    #[test]
    fn a_size_of_zero_is_refused() {
        let error =
            EvaluationTransform::new(0, ResizeFilter::Bilinear, Normalization::NONE).unwrap_err();
        assert_eq!(error.to_string(), "expected size to be in 1..=16384, found 0");
    }

    #[test]
    fn a_transform_survives_json_and_its_form_is_stable() {
        let bicubic =
            EvaluationTransform::new(12, ResizeFilter::Bicubic, Normalization::CENTRED).unwrap();
        let json = serde_json::to_string(&bicubic).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"size":12,"filter":"bicubic","#,
                r#""normalization":{"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}}"#
            )
        );
        assert_eq!(serde_json::from_str::<EvaluationTransform>(&json).unwrap(), bicubic);
    }

    #[test]
    fn a_fit_other_than_the_centred_square_keeps_both_ends_of_a_tall_image() {
        // Red above, green between, blue below.
        let tall = RgbImage::from_fn(10, 40, |_, y| match y {
            0..10 => Rgb([255, 0, 0]),
            30.. => Rgb([0, 0, 255]),
            _ => Rgb([0, 255, 0]),
        });
        let ground = Normalization { mean: [0.2, 0.4, 0.6], std: [1.0; 3] };
        let crop = EvaluationTransform::new(8, ResizeFilter::Bicubic, ground).unwrap();
        let colours = |fit| {
            let view = crop.clone().with_fit(fit).view(&tall).unwrap();
            [(4, 0), (4, 7), (0, 4)].map(|(x, y)| view.get_pixel(x, y).0)
        };
        assert_eq!(colours(Fit::Crop), [[0, 255, 0]; 3]);
        assert_eq!(colours(Fit::Squash), [[255, 0, 0], [0, 0, 255], [0, 255, 0]]);
        assert_eq!(colours(Fit::Pad), [[255, 0, 0], [0, 0, 255], [51, 102, 153]]);
        let mut input = vec![f32::NAN; crop.view_len()];
        crop.with_fit(Fit::Pad).view_into(&tall, &mut input).unwrap();
        assert!([input[32], input[64 + 32], input[128 + 32]].iter().all(|x| x.abs() < 1e-6));
    }

    #[test]
    fn a_square_image_fits_without_padding_and_a_line_of_pixels_is_seen() {
        let image = gradient(50, 50);
        let pad = transform(20).with_fit(Fit::Pad);
        let squash = transform(20).with_fit(Fit::Squash);
        assert_eq!(pad.view(&image).unwrap(), squash.view(&image).unwrap());
        let line = RgbImage::from_pixel(900, 1, Rgb([255; 3]));
        let white = pad.view(&line).unwrap().pixels().filter(|pixel| pixel.0 == [255; 3]).count();
        assert_eq!(white, 20, "one row");
        let error = pad.view(&RgbImage::new(0, 5)).unwrap_err();
        assert!(matches!(error, AugmentationError::CropOutsideImage { .. }), "{error}");
    }

    #[test]
    fn a_fit_is_kept_in_files_and_an_older_file_crops() {
        let pad = transform(12).with_fit(Fit::Pad);
        let json = serde_json::to_string(&pad).unwrap();
        assert!(json.ends_with(r#","fit":"pad"}"#), "{json}");
        assert_eq!(serde_json::from_str::<EvaluationTransform>(&json).unwrap(), pad);
        let older = json.replace(r#","fit":"pad""#, "");
        assert_eq!(serde_json::from_str::<EvaluationTransform>(&older).unwrap(), transform(12));
        assert_eq!(pad.with_size(9).unwrap(), transform(9).with_fit(Fit::Pad));
    }

    #[test]
    fn a_ground_is_kept_in_files_and_an_older_file_has_white() {
        let black = transform(12).with_ground(Ground::BLACK);
        let json = serde_json::to_string(&black).unwrap();
        assert!(json.ends_with(r#","ground":"black"}"#), "{json}");
        assert_eq!(serde_json::from_str::<EvaluationTransform>(&json).unwrap(), black);
        let older = json.replace(r#","ground":"black""#, "");
        assert_eq!(serde_json::from_str::<EvaluationTransform>(&older).unwrap(), transform(12));
        assert_eq!(black.with_size(9).unwrap(), transform(9).with_ground(Ground::BLACK));
        let error = json.replace("black", "purple");
        let error = serde_json::from_str::<EvaluationTransform>(&error).unwrap_err().to_string();
        let expected = "expected ground to be white, black or #rrggbb, found purple";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_transform_from_a_file_is_checked() {
        let refusal = |change: fn(&mut serde_json::Value)| {
            let mut json = serde_json::to_value(transform(12)).unwrap();
            change(&mut json);
            serde_json::from_value::<EvaluationTransform>(json).unwrap_err().to_string()
        };
        let size = refusal(|json| json["size"] = 16_385.into());
        assert_eq!(size, "expected size to be in 1..=16384, found 16385");
        let std = refusal(|json| json["normalization"]["std"][2] = 0.into());
        assert!(
            std.starts_with("expected normalization.std to be three finite, positive"),
            "{std}"
        );
        let unknown = refusal(|json| json["crop"] = true.into());
        assert!(unknown.contains("unknown field `crop`"), "{unknown}");
    }
}
