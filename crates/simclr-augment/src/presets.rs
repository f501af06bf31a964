//! Published policies by name.

use simclr_range::OutOfRange;

use crate::config::{
    AugmentationConfig, BlurConfig, ColorJitterConfig, CropConfig, Fit, Ground, Normalization,
};
use crate::draw::JitterFlavor;
use crate::evaluation_transform::EvaluationTransform;
use crate::simclr_augmentation::SimClrAugmentation;

impl SimClrAugmentation {
    /// 224 px, full colour strength and blur: the paper's policy for ImageNet (appendix A, with s =
    /// 1).
    ///
    /// Deviations: an antialiased bilinear filter resizes the crop (as in torchvision; google's is
    /// bicubic), and ImageNet's statistics normalise the view (as in the torch reimplementations; google
    /// does not normalise).
    #[must_use]
    pub fn imagenet() -> Self {
        Self::of(paper())
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
        Self::of(config)
    }

    /// 96 px with milder colours: the policy of the University of Amsterdam's SimCLR tutorial for
    /// STL-10 (jitter 0.5, 0.5, 0.5, 0.1 with probability 0.8; kernel of 9; values to `[-1, 1]`).
    ///
    /// Deviation: the tutorial blurs every view; this policy blurs half of them, as in the paper.
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
        Self::of(config)
    }
}

impl EvaluationTransform {
    /// The policy for training on labels: a random crop of `area` times the image's, and a flip half of
    /// the time, with this transform's size, filter and normalisation. Colours stay as they are (Chen et
    /// al. 2020, appendix B.5).
    ///
    /// ```
    /// use simclr_augment::{SimClrAugmentation, ViewKey};
    ///
    /// let evaluation = SimClrAugmentation::cifar10().evaluation();
    /// let views = evaluation.crop_and_flip([0.08, 1.0])?;
    /// let params = views.draw(ViewKey { seed: 0, pass: 1, index: 7, view: 0 }, 32, 32);
    /// assert!(params.jitter.is_none() && !params.grayscale && params.blur_sigma.is_none());
    /// # Ok::<(), simclr_augment::OutOfRange>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfRange`] unless `0 < area[0] <= area[1] <= 1`.
    pub fn crop_and_flip(&self, area: [f64; 2]) -> Result<SimClrAugmentation, OutOfRange> {
        let no_jitter = ColorJitterConfig::paper(JitterFlavor::Torchvision, 0.0);
        SimClrAugmentation::new(AugmentationConfig {
            size: self.size(),
            crop: CropConfig { area, filter: self.filter(), ..CropConfig::TORCHVISION },
            flip_probability: 0.5,
            color_jitter: ColorJitterConfig { probability: 0.0, ..no_jitter },
            grayscale_probability: 0.0,
            blur: None,
            normalization: self.normalization().clone(),
            evaluation_fit: self.fit(),
            ground: self.ground(),
            ..paper()
        })
    }
}

/// The paper's policy for ImageNet (appendix A).
fn paper() -> AugmentationConfig {
    AugmentationConfig {
        size: 224,
        crop: CropConfig::TORCHVISION,
        padded_crop: None,
        flip_probability: 0.5,
        vertical_flip_probability: 0.0,
        rotation: None,
        color_jitter: ColorJitterConfig::paper(JitterFlavor::Torchvision, 1.0),
        grayscale_probability: 0.2,
        blur: Some(BlurConfig::PAPER),
        solarize: None,
        erasing: None,
        normalization: Normalization::IMAGENET,
        whole_images: false,
        evaluation_fit: Fit::Crop,
        ground: Ground::WHITE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ResizeFilter;

    #[test]
    fn crop_and_flip_keeps_all_of_the_transform() {
        let bicubic =
            EvaluationTransform::new(9, ResizeFilter::Bicubic, Normalization::IMAGENET).unwrap();
        let bicubic = bicubic.with_fit(Fit::Pad).with_ground(Ground::BLACK);
        let back = bicubic.crop_and_flip([0.5, 1.0]).unwrap().evaluation();
        assert_eq!(back, bicubic);
        let error = bicubic.crop_and_flip([0.0, 1.0]).unwrap_err().to_string();
        assert_eq!(
            error,
            "expected crop.area to be [min, max] with 0 < min <= max <= 1, found [0.0, 1.0]"
        );
    }
}
