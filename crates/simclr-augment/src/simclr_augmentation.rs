use std::sync::Arc;

use image::RgbImage;
use simclr_range::OutOfRange;

use crate::config::{AugmentationConfig, Fit, Ground};
use crate::cpu::{Output, ViewStep};
use crate::draw::{CropBox, Draws, Step, ViewKey, ViewParams};
use crate::error::AugmentationError;
use crate::evaluation_transform::EvaluationTransform;

/// The augmentation policy of SimCLR, checked once and then used for every view.
///
/// The steps, in this order: random resized crop (or a padded one), flips, rotation, colour jitter, grayscale, Gaussian
/// blur, solarisation, erasing, steps of your own, normalisation. [`draw`](Self::draw) chooses a view's
/// [`ViewParams`]; [`view`](Self::view) and [`view_into`](Self::view_into) make the view.
///
/// It is cheap to share between threads. Each thread that makes views keeps its own buffers; once they
/// have grown, [`view_into`](Self::view_into) allocates no memory.
///
/// Source: section 3 and appendix A of "A Simple Framework for Contrastive Learning of Visual
/// Representations" (Chen et al., 2020); google-research/simclr, `data_util.py`.
#[derive(Debug, Clone)]
pub struct SimClrAugmentation {
    config: AugmentationConfig,
    own_steps: Vec<Arc<dyn ViewStep>>,
}

impl SimClrAugmentation {
    /// Checks a configuration.
    ///
    /// ```
    /// use simclr_augment::SimClrAugmentation;
    ///
    /// let mut config = SimClrAugmentation::cifar10().config().clone();
    /// config.crop.area = [0.5, 1.1];
    /// let error = SimClrAugmentation::new(config).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "expected crop.area to be [min, max] with 0 < min <= max <= 1, found [0.5, 1.1]"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`OutOfRange`] names the first field that is out of its range.
    pub fn new(config: AugmentationConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(Self::of(config))
    }

    /// From a config that is valid by construction.
    pub(crate) fn of(config: AugmentationConfig) -> Self {
        Self { config, own_steps: Vec::new() }
    }

    /// The same policy for views of `size x size` pixels; the blur's kernel follows.
    ///
    /// ```
    /// use simclr_augment::SimClrAugmentation;
    ///
    /// let policy = SimClrAugmentation::stl10().with_size(64)?;
    /// assert_eq!(policy.view_len(), 3 * 64 * 64);
    /// # Ok::<(), simclr_augment::OutOfRange>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfRange`] for a size outside 1 to 16384, or a size of 1 where the policy blurs.
    pub fn with_size(self, size: u32) -> Result<Self, OutOfRange> {
        let config = AugmentationConfig { size, ..self.config };
        config.check()?;
        Ok(Self { config, ..self })
    }

    /// The same size and normalisation, but each view is the whole image without any other step: see
    /// [`AugmentationConfig::whole_images`].
    ///
    /// ```
    /// use image::{Rgb, RgbImage};
    /// use simclr_augment::{SimClrAugmentation, ViewKey};
    ///
    /// let policy = SimClrAugmentation::cifar10().with_whole_images();
    /// let image = RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8, y as u8, 7]));
    /// let params = policy.draw(ViewKey { seed: 0, pass: 0, index: 0, view: 0 }, 32, 32);
    /// assert_eq!(policy.view(&image, &params)?, image);
    /// # Ok::<(), simclr_augment::AugmentationError>(())
    /// ```
    #[must_use]
    pub fn with_whole_images(self) -> Self {
        let config = AugmentationConfig { whole_images: true, ..self.config };
        Self { config, ..self }
    }

    /// Adds a step of your own, which runs after the others and before the normalisation. The config
    /// does not contain it, so that a run's record does not mention it.
    #[must_use]
    pub fn with_step(mut self, step: impl ViewStep + 'static) -> Self {
        self.own_steps.push(Arc::new(step));
        self
    }

    #[cfg(feature = "device")]
    pub(crate) fn own_steps(&self) -> &[Arc<dyn ViewStep>] {
        &self.own_steps
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &AugmentationConfig {
        &self.config
    }

    /// The number of values in one view: `3 * size * size`.
    #[must_use]
    pub fn view_len(&self) -> usize {
        self.output().len()
    }

    fn output(&self) -> Output {
        let AugmentationConfig { size, crop, normalization, .. } = &self.config;
        let (size, filter, normalization) = (*size, crop.filter, normalization.clone());
        Output { size, filter, normalization, fit: Fit::Crop, ground: Ground::WHITE }
    }

    /// Draws the parameters of one view of an image of `width x height` pixels.
    ///
    /// A pure function of its arguments and the policy; see [`ViewKey`]. The draws of one step do not
    /// depend on another step's settings. For an image without pixels the crop is empty, and making the
    /// view is an error.
    #[must_use]
    pub fn draw(&self, key: ViewKey, width: u32, height: u32) -> ViewParams {
        let config = &self.config;
        if config.whole_images {
            return ViewParams::only_crop(CropBox::whole(width, height));
        }
        let draws = |step| Draws::new(key, step);
        let padded = config
            .padded_crop
            .as_ref()
            .map(|padded| padded.draw(&mut draws(Step::PaddedCrop), [width, height], config.size));
        let crop = match padded {
            Some(_) => CropBox::whole(width, height),
            None => config.crop.draw(&mut draws(Step::Crop), width, height),
        };
        ViewParams {
            crop,
            padded,
            flip: draws(Step::Flip).chance(config.flip_probability),
            vertical_flip: draws(Step::VerticalFlip).chance(config.vertical_flip_probability),
            rotation: config.rotation.as_ref().and_then(|r| r.draw(&mut draws(Step::Rotation))),
            jitter: config.color_jitter.draw(&mut draws(Step::ColorJitter)),
            grayscale: draws(Step::Grayscale).chance(config.grayscale_probability),
            blur_sigma: config.blur.as_ref().and_then(|blur| blur.draw(&mut draws(Step::Blur))),
            solarize: config.solarize.as_ref().and_then(|s| s.draw(&mut draws(Step::Solarize))),
            erase: (config.erasing.as_ref())
                .and_then(|erasing| erasing.draw(&mut draws(Step::Erasing), config.size)),
            custom_seed: (!self.own_steps.is_empty()).then(|| draws(Step::Custom).bits()),
        }
    }

    /// Makes a view as a picture of `size x size` pixels, to look at: all steps but the
    /// normalisation.
    ///
    /// # Errors
    /// [`AugmentationError::CropOutsideImage`] if the crop does not fit the image, and
    /// [`AugmentationError::OutOfRange`] if another parameter is out of its range. Parameters that
    /// [`draw`](Self::draw) gave for an image of this width and height are valid, unless the image has no
    /// pixels.
    pub fn view(
        &self,
        image: &RgbImage,
        params: &ViewParams,
    ) -> Result<RgbImage, AugmentationError> {
        self.output().render_image(image, params, &self.own_steps)
    }

    /// Makes a view as an encoder's input: `[3, size, size]`, channel by channel, row by row,
    /// normalised.
    ///
    /// # Errors
    /// Those of [`view`](Self::view), and [`AugmentationError::OutputLength`] if `out` does not hold
    /// [`view_len`](Self::view_len) values. After an error the contents of `out` are unspecified.
    pub fn view_into(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        out: &mut [f32],
    ) -> Result<(), AugmentationError> {
        self.output().render_into(image, params, &self.own_steps, out)
    }

    /// The transform for labelled images with this policy's size, filter, normalisation,
    /// [fit](AugmentationConfig::evaluation_fit) and [ground](AugmentationConfig::ground), and nothing
    /// random.
    #[must_use]
    pub fn evaluation(&self) -> EvaluationTransform {
        let AugmentationConfig { evaluation_fit, ground, .. } = self.config;
        EvaluationTransform::of(self.output()).with_fit(evaluation_fit).with_ground(ground)
    }
}
