//! What image pretraining adds to training: the network, and the views of images.

use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, SimClrAugmentation};
use simclr_model::{EncoderConfig, ProjectionHeadConfig};

use crate::error::TrainError;
use crate::images::image_views::ViewPath;

/// Which network, and which views of images: the table `[images]` of a run's `config.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageConfig {
    /// Which encoder.
    pub encoder: EncoderConfig,
    /// The head on top of the encoder.
    #[serde(default)]
    pub projection: ProjectionHeadConfig,
    /// Where views are computed.
    #[serde(default)]
    pub views: ViewPath,
    /// How views are drawn, and at what size.
    pub augmentation: AugmentationConfig,
}

impl ImageConfig {
    /// Its name in a run's `config.toml`.
    pub(crate) const TABLE: &str = "images";

    /// The augmentation, checked, and that the encoder takes its views.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] or [`TrainError::Model`], which name the field that is wrong.
    pub fn augmentation(&self) -> Result<SimClrAugmentation, TrainError> {
        let augmentation = SimClrAugmentation::new(self.augmentation.clone())?;
        self.encoder.check_image_size(augmentation.config().size as usize)?;
        Ok(augmentation)
    }
}
