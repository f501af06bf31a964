use image::RgbImage;

use crate::augmentation_config::check_size;
use crate::renderer::Output;
use crate::{
    AugmentationConfig, AugmentationError, ColorJitterConfig, CropBox, CropConfig, JitterFlavor,
    Normalization, ResizeFilter, SimClrAugmentation, ViewParams,
};

/// The share of the image's short side that the centred crop keeps.
const CROP_PROPORTION: f64 = 0.875;

/// Views of this size or less are never cropped: there is no border to spare.
const LARGEST_UNCROPPED_SIZE: u32 = 32;

/// How an image becomes an encoder's input when nothing may be random: for features, kNN and
/// probes.
///
/// The largest centred square is scaled by 0.875 and resized to `size x size`, as in google's
/// `preprocess_for_eval` (`CROP_PROPORTION`). That is the geometry of torchvision's "resize the
/// short side to 256, cut the central 224" in a single resampling. Two cases keep the whole square:
/// an image that already has the view's size, whose pixels are then not touched, and views of at
/// most 32 px, as in google's CIFAR-10 recipe.
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
#[derive(Debug, Clone)]
pub struct EvaluationTransform {
    output: Output,
}

impl EvaluationTransform {
    /// The transform to `size x size` pixels. Filter and normalisation have to be those of
    /// pretraining: [`SimClrAugmentation::evaluation`](crate::SimClrAugmentation::evaluation) takes
    /// all three from the policy.
    ///
    /// # Errors
    /// [`AugmentationError::InvalidConfig`] for a size outside 1 to 16384, or an invalid
    /// normalisation.
    pub fn new(
        size: u32,
        filter: ResizeFilter,
        normalization: Normalization,
    ) -> Result<Self, AugmentationError> {
        check_size(size)?;
        normalization.check()?;
        Ok(Self::of(Output { size, filter, normalization, steps: Vec::new() }))
    }

    /// From values that are checked already.
    pub(crate) fn of(output: Output) -> Self {
        Self { output }
    }

    /// Width and height of the result in pixels.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.output.size
    }

    /// The curve by which images are resized.
    #[must_use]
    pub fn filter(&self) -> ResizeFilter {
        self.output.filter
    }

    /// What the last step subtracts and divides by.
    #[must_use]
    pub fn normalization(&self) -> &Normalization {
        &self.output.normalization
    }

    /// The number of values in one result: `3 * size * size`.
    #[must_use]
    pub fn view_len(&self) -> usize {
        self.output.len()
    }

    /// The transform of an image of `width x height` pixels as parameters: a centred crop and
    /// nothing else.
    #[must_use]
    pub fn params(&self, width: u32, height: u32) -> ViewParams {
        let short = width.min(height);
        let size = self.output.size;
        let uncropped = size <= LARGEST_UNCROPPED_SIZE || [width, height] == [size; 2];
        let proportion = if uncropped { 1.0 } else { CROP_PROPORTION };
        let side = ((proportion * f64::from(short)).round_ties_even() as u32).max(1).min(short);
        // An odd margin is split as in google's `center_crop`: the larger half at the top and the
        // left.
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
        self.output.render_image(image, &self.params(image.width(), image.height()))
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
        self.output.render_into(image, &params, out)
    }

    /// The views that a network learns labels from: a random crop of `area` times the image's, and a
    /// flip half of the time, with this transform's size, filter and normalisation. Colours stay as they
    /// are (Chen et al. 2020, appendix B.5).
    ///
    /// ```
    /// use simclr_augment::{SimClrAugmentation, ViewKey};
    ///
    /// let evaluation = SimClrAugmentation::cifar10().evaluation();
    /// let views = evaluation.crop_and_flip([0.08, 1.0])?;
    /// let params = views.draw(ViewKey { seed: 0, pass: 1, index: 7, view: 0 }, 32, 32);
    /// assert!(params.jitter.is_none() && !params.grayscale && params.blur_sigma.is_none());
    /// # Ok::<(), simclr_augment::AugmentationError>(())
    /// ```
    ///
    /// # Errors
    /// [`AugmentationError::InvalidConfig`] unless `0 < area[0] <= area[1] <= 1`.
    pub fn crop_and_flip(&self, area: [f64; 2]) -> Result<SimClrAugmentation, AugmentationError> {
        let no_jitter = ColorJitterConfig::paper(JitterFlavor::Torchvision, 0.0);
        SimClrAugmentation::new(AugmentationConfig {
            size: self.size(),
            crop: CropConfig { area, filter: self.filter(), ..CropConfig::TORCHVISION },
            flip_probability: 0.5,
            vertical_flip_probability: 0.0,
            rotation: None,
            color_jitter: ColorJitterConfig { probability: 0.0, ..no_jitter },
            grayscale_probability: 0.0,
            blur: None,
            solarize: None,
            erasing: None,
            normalization: self.normalization().clone(),
            debug: false,
        })
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
    fn crop_and_flip_keeps_size_filter_and_normalisation() {
        let bicubic =
            EvaluationTransform::new(9, ResizeFilter::Bicubic, Normalization::IMAGENET).unwrap();
        let back = bicubic.crop_and_flip([0.5, 1.0]).unwrap().evaluation();
        let image = gradient(20, 14);
        assert_eq!(back.view(&image).unwrap(), bicubic.view(&image).unwrap());
        assert_eq!(back.normalization(), bicubic.normalization());
        let error = bicubic.crop_and_flip([0.0, 1.0]).unwrap_err().to_string();
        assert_eq!(error, "`crop.area`: expected 0 < min <= max <= 1, found [0.0, 1.0]");
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
        assert_eq!(error.to_string(), "`size`: expected a size in 1..=16384, found 0");
    }
}
