use image::RgbImage;

use crate::draws::{Draws, Step};
use crate::renderer::{render_image, render_into, view_len};
use crate::{
    AugmentationConfig, AugmentationError, BlurConfig, ColorJitterConfig, CropConfig,
    EvaluationTransform, Normalization, ViewKey, ViewParams,
};

/// The augmentation policy of SimCLR, checked once and then used for every view.
///
/// The steps, in this order: random resized crop, left-right flip, colour jitter, grayscale,
/// Gaussian blur, normalisation. [`draw`](Self::draw) chooses a view's [`ViewParams`];
/// [`view`](Self::view) and [`view_into`](Self::view_into) make the view.
///
/// It is cheap to share between threads. Each thread that makes views keeps its own buffers, so
/// that, after the first, [`view_into`](Self::view_into) allocates no memory that grows with the
/// image.
///
/// Source: section 3 and appendix A of "A Simple Framework for Contrastive Learning of Visual
/// Representations" (Chen et al., 2020); google-research/simclr, `data_util.py`.
#[derive(Debug, Clone, PartialEq)]
pub struct SimClrAugmentation {
    config: AugmentationConfig,
}

impl SimClrAugmentation {
    /// Checks a configuration.
    ///
    /// # Errors
    /// [`AugmentationError::InvalidConfig`] names the first field that is out of its range or not a
    /// finite number.
    pub fn new(config: AugmentationConfig) -> Result<Self, AugmentationError> {
        config.check()?;
        Ok(Self { config })
    }

    /// 224 px, full colour strength and blur: the paper's policy for ImageNet (appendix A, with s =
    /// 1).
    ///
    /// Deviations: the crop is resized with a bilinear antialiased filter (torchvision; google:
    /// bicubic), and the view is normalised by ImageNet's statistics (torch reimplementations;
    /// google: not at all).
    #[must_use]
    pub fn imagenet() -> Self {
        let config = AugmentationConfig {
            size: 224,
            crop: CropConfig::PAPER,
            flip_probability: 0.5,
            color_jitter: ColorJitterConfig::paper(1.0),
            grayscale_probability: 0.2,
            blur: Some(BlurConfig::PAPER),
            normalization: Normalization::IMAGENET,
        };
        Self { config }
    }

    /// 32 px, half the colour strength, no blur: the paper's policy for CIFAR-10 (appendix B.9;
    /// google's README passes `--color_jitter_strength=0.5 --use_blur=False`).
    ///
    /// The area starts at 0.08 as in the paper; many torch recipes for CIFAR-10 start at 0.2
    /// instead.
    #[must_use]
    pub fn cifar10() -> Self {
        let config = AugmentationConfig {
            size: 32,
            crop: CropConfig::PAPER,
            flip_probability: 0.5,
            color_jitter: ColorJitterConfig::paper(0.5),
            grayscale_probability: 0.2,
            blur: None,
            normalization: Normalization::CIFAR10,
        };
        Self { config }
    }

    /// 96 px with milder colours: the policy of the University of Amsterdam's SimCLR tutorial for
    /// STL-10 (jitter 0.5, 0.5, 0.5, 0.1 with probability 0.8; kernel of 9; values to `[-1, 1]`).
    ///
    /// Deviation: the tutorial blurs every view; here it is half of them, as in the paper.
    #[must_use]
    pub fn stl10() -> Self {
        let config = AugmentationConfig {
            size: 96,
            crop: CropConfig::PAPER,
            flip_probability: 0.5,
            color_jitter: ColorJitterConfig {
                probability: 0.8,
                strength: 1.0,
                brightness: 0.5,
                contrast: 0.5,
                saturation: 0.5,
                hue: 0.1,
            },
            grayscale_probability: 0.2,
            blur: Some(BlurConfig::PAPER),
            normalization: Normalization::CENTRED,
        };
        Self { config }
    }

    /// The same policy for views of `size x size` pixels; the blur's kernel follows.
    ///
    /// ```
    /// use simclr_augment::SimClrAugmentation;
    ///
    /// let policy = SimClrAugmentation::stl10().with_size(64)?;
    /// assert_eq!(policy.view_len(), 3 * 64 * 64);
    /// # Ok::<(), simclr_augment::AugmentationError>(())
    /// ```
    ///
    /// # Errors
    /// [`AugmentationError::InvalidConfig`] for a size outside 1 to 16384, or of 1 where the policy
    /// blurs.
    pub fn with_size(self, size: u32) -> Result<Self, AugmentationError> {
        Self::new(AugmentationConfig { size, ..self.config })
    }

    /// The configuration, as it was checked.
    #[must_use]
    pub fn config(&self) -> &AugmentationConfig {
        &self.config
    }

    /// The number of values in one view: `3 * size * size`.
    #[must_use]
    pub fn view_len(&self) -> usize {
        view_len(self.config.size)
    }

    /// Draws the parameters of one view of an image of `width x height` pixels.
    ///
    /// A pure function of its arguments and the policy; see [`ViewKey`]. The draws of one step do
    /// not depend on another step's settings. For an image without pixels the crop is empty, which
    /// is an error when it is applied.
    #[must_use]
    pub fn draw(&self, key: ViewKey, width: u32, height: u32) -> ViewParams {
        let config = &self.config;
        let draws = |step| Draws::new(key, step);
        ViewParams {
            crop: config.crop.draw(&mut draws(Step::Crop), width, height),
            flip: draws(Step::Flip).chance(config.flip_probability),
            jitter: config.color_jitter.draw(&mut draws(Step::ColorJitter)),
            grayscale: draws(Step::Grayscale).chance(config.grayscale_probability),
            blur_sigma: config.blur.as_ref().and_then(|blur| blur.draw(&mut draws(Step::Blur))),
        }
    }

    /// Makes a view as a picture of `size x size` pixels, to look at: all steps but the
    /// normalisation.
    ///
    /// # Errors
    /// [`AugmentationError::CropOutsideImage`] or [`AugmentationError::InvalidParams`] if the
    /// parameters are not for this image; those that [`draw`](Self::draw) gave for its width and
    /// height always are, unless it has no pixels.
    pub fn view(
        &self,
        image: &RgbImage,
        params: &ViewParams,
    ) -> Result<RgbImage, AugmentationError> {
        render_image(image, params, self.config.size)
    }

    /// Makes a view as an encoder's input: `[3, size, size]`, channel by channel, row by row,
    /// normalised.
    ///
    /// # Errors
    /// As for [`view`](Self::view), and [`AugmentationError::OutputLength`] if `out` does not hold
    /// [`view_len`](Self::view_len) values. On an error the contents of `out` are unspecified.
    pub fn view_into(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        out: &mut [f32],
    ) -> Result<(), AugmentationError> {
        render_into(image, params, self.config.size, &self.config.normalization, out)
    }

    /// The transform for labelled images that goes with this policy: its size and normalisation,
    /// nothing random.
    #[must_use]
    pub fn evaluation(&self) -> EvaluationTransform {
        EvaluationTransform::of(self.config.size, self.config.normalization.clone())
    }
}
