use std::sync::Arc;

use image::RgbImage;

use crate::draws::Step;
use crate::renderer::Output;
use crate::{
    AugmentationConfig, AugmentationError, BlurConfig, ColorJitterConfig, CropBox, CropConfig,
    Draws, EvaluationTransform, JitterFlavor, Normalization, ViewKey, ViewParams, ViewStep,
};

/// The augmentation policy of SimCLR, checked once and then used for every view.
///
/// The steps, in this order: random resized crop, flips, rotation, colour jitter, grayscale, Gaussian
/// blur, solarisation, erasing, steps of your own, normalisation. [`draw`](Self::draw) chooses a view's [`ViewParams`];
/// [`view`](Self::view) and [`view_into`](Self::view_into) make the view.
///
/// It is cheap to share between threads. Each thread that makes views keeps its own buffers, so
/// that, once they have grown, [`view_into`](Self::view_into) allocates no memory.
///
/// Source: section 3 and appendix A of "A Simple Framework for Contrastive Learning of Visual
/// Representations" (Chen et al., 2020); google-research/simclr, `data_util.py`.
#[derive(Debug, Clone)]
pub struct SimClrAugmentation {
    config: AugmentationConfig,
    output: Output,
}

impl SimClrAugmentation {
    /// Checks a configuration.
    ///
    /// # Errors
    /// [`AugmentationError::InvalidConfig`] names the first field that is out of its range or not a
    /// finite number.
    pub fn new(config: AugmentationConfig) -> Result<Self, AugmentationError> {
        config.check()?;
        Ok(Self::of(config, Vec::new()))
    }

    /// From a config that is checked already.
    fn of(config: AugmentationConfig, steps: Vec<Arc<dyn ViewStep>>) -> Self {
        let normalization = config.normalization.clone();
        let output = Output { size: config.size, filter: config.crop.filter, normalization, steps };
        Self { config, output }
    }

    /// 224 px, full colour strength and blur: the paper's policy for ImageNet (appendix A, with s =
    /// 1).
    ///
    /// Deviations: the crop is resized with a bilinear antialiased filter (torchvision; google:
    /// bicubic), and the view is normalised by ImageNet's statistics (torch reimplementations;
    /// google: not at all).
    #[must_use]
    pub fn imagenet() -> Self {
        Self::of(paper(), Vec::new())
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
            color_jitter: ColorJitterConfig::paper(JitterFlavor::Torchvision, 0.5),
            blur: None,
            normalization: Normalization::CIFAR10,
            ..paper()
        };
        Self::of(config, Vec::new())
    }

    /// 96 px with milder colours: the policy of the University of Amsterdam's SimCLR tutorial for
    /// STL-10 (jitter 0.5, 0.5, 0.5, 0.1 with probability 0.8; kernel of 9; values to `[-1, 1]`).
    ///
    /// Deviation: the tutorial blurs every view; here it is half of them, as in the paper.
    #[must_use]
    pub fn stl10() -> Self {
        let config = AugmentationConfig {
            size: 96,
            color_jitter: ColorJitterConfig {
                brightness: 0.5,
                contrast: 0.5,
                saturation: 0.5,
                hue: 0.1,
                ..ColorJitterConfig::paper(JitterFlavor::Torchvision, 1.0)
            },
            normalization: Normalization::CENTRED,
            ..paper()
        };
        Self::of(config, Vec::new())
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
        let config = AugmentationConfig { size, ..self.config };
        config.check()?;
        Ok(Self::of(config, self.output.steps))
    }

    /// The same size and normalisation, but each view is the whole image, and nothing is done to it:
    /// see [`AugmentationConfig::debug`].
    ///
    /// ```
    /// use image::{Rgb, RgbImage};
    /// use simclr_augment::{SimClrAugmentation, ViewKey};
    ///
    /// let policy = SimClrAugmentation::cifar10().debug();
    /// let image = RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8, y as u8, 7]));
    /// let params = policy.draw(ViewKey { seed: 0, pass: 0, index: 0, view: 0 }, 32, 32);
    /// assert_eq!(policy.view(&image, &params)?, image);
    /// # Ok::<(), simclr_augment::AugmentationError>(())
    /// ```
    #[must_use]
    pub fn debug(self) -> Self {
        Self::of(AugmentationConfig { debug: true, ..self.config }, self.output.steps)
    }

    /// Adds a step of your own, which runs after the others, before the normalisation. The config does
    /// not tell of it, so it is not part of a run's record.
    #[must_use]
    pub fn with_step(mut self, step: impl ViewStep + 'static) -> Self {
        self.output.steps.push(Arc::new(step));
        self
    }

    #[cfg(feature = "device")]
    pub(crate) fn steps(&self) -> &[Arc<dyn ViewStep>] {
        &self.output.steps
    }

    /// The configuration, as it was checked.
    #[must_use]
    pub fn config(&self) -> &AugmentationConfig {
        &self.config
    }

    /// The number of values in one view: `3 * size * size`.
    #[must_use]
    pub fn view_len(&self) -> usize {
        self.output.len()
    }

    /// Draws the parameters of one view of an image of `width x height` pixels.
    ///
    /// A pure function of its arguments and the policy; see [`ViewKey`]. The draws of one step do
    /// not depend on another step's settings. For an image without pixels the crop is empty, which
    /// is an error when it is applied.
    #[must_use]
    pub fn draw(&self, key: ViewKey, width: u32, height: u32) -> ViewParams {
        let config = &self.config;
        if config.debug {
            return ViewParams::only_crop(CropBox::whole(width, height));
        }
        let draws = |step| Draws::new(key, step);
        let has_steps = !self.output.steps.is_empty();
        ViewParams {
            crop: config.crop.draw(&mut draws(Step::Crop), width, height),
            flip: draws(Step::Flip).chance(config.flip_probability),
            vertical_flip: draws(Step::VerticalFlip).chance(config.vertical_flip_probability),
            rotation: config.rotation.as_ref().and_then(|r| r.draw(&mut draws(Step::Rotation))),
            jitter: config.color_jitter.draw(&mut draws(Step::ColorJitter)),
            grayscale: draws(Step::Grayscale).chance(config.grayscale_probability),
            blur_sigma: config.blur.as_ref().and_then(|blur| blur.draw(&mut draws(Step::Blur))),
            solarize: config.solarize.as_ref().and_then(|s| s.draw(&mut draws(Step::Solarize))),
            erase: (config.erasing.as_ref())
                .and_then(|erasing| erasing.draw(&mut draws(Step::Erasing), config.size)),
            custom_seed: has_steps.then(|| draws(Step::Custom).bits()),
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
        self.output.render_image(image, params)
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
        self.output.render_into(image, params, out)
    }

    /// The transform for labelled images that goes with this policy: its size, filter and
    /// normalisation, nothing random.
    #[must_use]
    pub fn evaluation(&self) -> EvaluationTransform {
        EvaluationTransform::of(Output { steps: Vec::new(), ..self.output.clone() })
    }
}

/// The paper's policy for `ImageNet` (appendix A).
fn paper() -> AugmentationConfig {
    AugmentationConfig {
        size: 224,
        crop: CropConfig::TORCHVISION,
        flip_probability: 0.5,
        vertical_flip_probability: 0.0,
        rotation: None,
        color_jitter: ColorJitterConfig::paper(JitterFlavor::Torchvision, 1.0),
        grayscale_probability: 0.2,
        blur: Some(BlurConfig::PAPER),
        solarize: None,
        erasing: None,
        normalization: Normalization::IMAGENET,
        debug: false,
    }
}
