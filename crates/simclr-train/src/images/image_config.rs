//! The settings of network and views.

use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, SimClrAugmentation};
use simclr_model::{EncoderConfig, ProjectionHeadConfig};

use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::images::image_views::ViewPath;

/// The settings of network and views, and the table `[images]` of a run's `config.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// The projection head.
    #[serde(default)]
    pub projection: ProjectionHeadConfig,
    /// Where the pixels of views are computed.
    #[serde(default)]
    pub views: ViewPath,
    /// How finely images are decoded for views. New configs decode at a scale; one without this field, as of a run that began before there
    /// was a choice, at full resolution.
    #[serde(default = "Decoding::full", skip_serializing_if = "Decoding::is_full")]
    pub decoding: Decoding,
    /// The distribution of the views, and their size.
    pub augmentation: AugmentationConfig,
}

impl ImageConfig {
    /// The table's name in a run's `config.toml`.
    pub(crate) const TABLE: &str = "images";

    /// The augmentation, made from its settings.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for a setting out of range; [`TrainError::Model`] if the encoder doesn't take views
    /// of this size.
    pub fn augmentation(&self) -> Result<SimClrAugmentation, TrainError> {
        let augmentation = SimClrAugmentation::new(self.augmentation.clone())?;
        self.encoder.check_image_size(augmentation.config().size as usize)?;
        Ok(augmentation)
    }
}
