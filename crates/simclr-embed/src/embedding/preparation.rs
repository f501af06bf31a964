//! How images became vectors.

use std::fmt;

use burn::module::Module;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simclr_augment::EvaluationTransform;
use simclr_model::module_tensors;

use crate::error::EmbedError;

/// Characters of a checksum that people see.
const SHOWN: usize = 12;

/// What vectors depend on beside the image: the encoder's weights, and the transform of an image to the encoder's input.
/// Vectors of two preparations cannot be compared, even if they have the same length.
///
/// [`Embedder::preparation`](crate::Embedder::preparation) gives that of an embedder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    weights: String,
    transform: EvaluationTransform,
}

impl Preparation {
    /// The preparation by other means than an [`Embedder`](crate::Embedder): `weights` is any text that tells encoders
    /// apart.
    pub fn new(weights: impl Into<String>, transform: EvaluationTransform) -> Self {
        Self { weights: weights.into(), transform }
    }

    /// The preparation by `encoder`, known by the SHA-256 of its tensors: names, shapes, and values in f32.
    pub(crate) fn by(encoder: &impl Module, transform: &EvaluationTransform) -> Self {
        let mut hasher = Sha256::new();
        for tensor in module_tensors(encoder) {
            hasher.update(format!("{} {:?} ", tensor.name(), tensor.shape));
            for value in tensor.values().to_data_as::<f32>().iter::<f32>() {
                hasher.update(value.to_le_bytes());
            }
        }
        Self::new(hex::encode(hasher.finalize()), transform.clone())
    }

    /// What tells the encoder's weights from others: for an embedder's, their SHA-256 in hexadecimal.
    #[must_use]
    pub fn weights(&self) -> &str {
        &self.weights
    }

    /// How an image became the encoder's input.
    #[must_use]
    pub fn transform(&self) -> &EvaluationTransform {
        &self.transform
    }

    /// Checks that queries prepared as `queries` can be compared with vectors of this preparation.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Preparation`], which says both, unless they are equal.
    pub fn check(&self, queries: &Self) -> Result<(), EmbedError> {
        if self == queries {
            return Ok(());
        }
        let (expected, found) = (self.to_string(), queries.to_string());
        Err(EmbedError::Preparation { expected, found })
    }
}

/// "32 x 32 pixels, bilinear, crop, white ground, mean [0.5, 0.5, 0.5], deviation [0.5, 0.5, 0.5], weights 1a2b3c4d5e6f".
impl fmt::Display for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, normalization) = (self.transform.size(), self.transform.normalization());
        let [filter, fit] =
            [format!("{:?}", self.transform.filter()), format!("{:?}", self.transform.fit())]
                .map(|name| name.to_lowercase());
        let weights: String = self.weights.chars().take(SHOWN).collect();
        write!(
            f,
            "{size} x {size} pixels, {filter}, {fit}, {} ground, mean {:?}, deviation {:?}, weights {weights}",
            self.transform.ground(),
            normalization.mean,
            normalization.std
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use simclr_augment::{Fit, Ground, Normalization, ResizeFilter};
    use simclr_model::EncoderConfig;

    fn transform(size: u32) -> EvaluationTransform {
        EvaluationTransform::new(size, ResizeFilter::Bilinear, Normalization::CENTRED).unwrap()
    }

    fn by(name: &str, seed: u64, size: u32) -> Preparation {
        let config: EncoderConfig = name.parse().unwrap();
        Preparation::by(&config.init(seed, &Device::flex()).unwrap(), &transform(size))
    }

    #[test]
    fn the_same_weights_have_the_same_checksum_and_others_another() {
        let first = by("resnet18x0.0625_cifar", 1, 16);
        assert_eq!(first, by("resnet18x0.0625_cifar", 1, 16));
        assert_eq!(first.weights().len(), 64);
        for other in [
            by("resnet18x0.0625_cifar", 2, 16),
            by("resnet18x0.0625_cifar", 1, 32),
            by("resnet18x0.0625", 1, 16),
            Preparation::new(first.weights(), transform(16).with_fit(Fit::Pad)),
            Preparation::new(first.weights(), transform(16).with_ground(Ground::BLACK)),
        ] {
            let error = first.check(&other).unwrap_err();
            assert!(matches!(error, EmbedError::Preparation { .. }), "{error}");
        }
    }

    #[test]
    fn a_refusal_says_both_sides() {
        let of = |size| Preparation::new("1a2b3c4d5e6f-and-more", transform(size));
        assert_eq!(
            of(32).check(&of(64)).unwrap_err().to_string(),
            "expected queries prepared as the index's images, 32 x 32 pixels, bilinear, crop, white ground, mean [0.5, 0.5, 0.5], \
             deviation [0.5, 0.5, 0.5], weights 1a2b3c4d5e6f; found 64 x 64 pixels, bilinear, crop, white ground, mean [0.5, 0.5, 0.5], \
             deviation [0.5, 0.5, 0.5], weights 1a2b3c4d5e6f"
        );
        // A hostile file's checksum may be any text.
        Preparation::new("é", transform(8)).to_string();
    }
}
