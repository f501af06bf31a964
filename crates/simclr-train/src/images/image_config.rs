//! The settings of network and views.

use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, SimClrAugmentation};
use simclr_model::{EncoderConfig, ProjectionHeadConfig};
use simclr_range::OutOfRange;

use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::images::growing_views::GrowingViews;
use crate::images::image_views::ViewPath;
use crate::images::local_views::LocalViews;

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
    /// The most images that the monitor looks at, at least 1: so many of the training set, and so many of the test set. See
    /// [`ImageMonitor::drawn`](crate::ImageMonitor::drawn). Default 5,000.
    #[serde(default = "default_monitor_images")]
    pub monitor_images: usize,
    /// How finely images are decoded for views. New configs decode at a scale; one without this field, as of a run that began before there
    /// was a choice, at full resolution.
    #[serde(default = "Decoding::full", skip_serializing_if = "Decoding::is_full")]
    pub decoding: Decoding,
    /// Views of each image that a step contrasts, 2 to 16, without [`local_views`](Self::local_views). Default 2.
    #[serde(default = "default_views", skip_serializing_if = "is_default_views")]
    pub views_per_image: usize,
    /// Smaller views beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_views: Option<LocalViews>,
    /// Smaller sizes of all views in the first passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growing_views: Option<GrowingViews>,
    /// The distribution of the views, and their size.
    pub augmentation: AugmentationConfig,
}

pub(crate) fn default_views() -> usize {
    2
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_default_views(views: &usize) -> bool {
    *views == default_views()
}

/// Enough to tell accuracies apart that differ by two points, and embedded in the time of some steps.
pub(crate) fn default_monitor_images() -> usize {
    5000
}

impl ImageConfig {
    /// The table's name in a run's `config.toml`.
    pub(crate) const TABLE: &str = "images";

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Those of [`augmentation`](Self::augmentation) and [`local_augmentation`](Self::local_augmentation), and
    /// [`TrainError::OutOfRange`].
    pub fn check(&self) -> Result<(), TrainError> {
        let found = self.monitor_images;
        OutOfRange::unless(found > 0, "monitor_images", "at least 1", found)?;
        let found = self.views_per_image;
        OutOfRange::unless((2..=16).contains(&found), "views_per_image", "2 to 16", found)?;
        for (_, stage) in self.stages()? {
            stage.local_augmentation()?;
            stage.augmentation()?;
        }
        Ok(())
    }

    /// These settings with the sizes of each stage of [growing views](Self::growing_views), and the first pass that has them;
    /// the last stage has the full size.
    ///
    /// # Errors
    ///
    /// [`TrainError::OutOfRange`] for growing views out of range.
    pub(crate) fn stages(&self) -> Result<Vec<(u64, Self)>, TrainError> {
        let full = self.augmentation.size;
        let of_size = |size: u32| {
            let mut stage = Self { growing_views: None, ..self.clone() };
            stage.augmentation.size = size;
            if let Some(local) = &mut stage.local_views {
                let share = f64::from(size) / f64::from(full);
                let shrunk = |local: u32| (f64::from(local) * share).round().max(1.0) as u32;
                local.size = local.size.map(shrunk);
            }
            stage
        };
        let Some(growing) = &self.growing_views else { return Ok(vec![(1, self.clone())]) };
        growing.check(full)?;
        let sizes = growing.stages(full).into_iter().chain([(growing.passes + 1, full)]);
        Ok(sizes.map(|(pass, size)| (pass, of_size(size))).collect())
    }

    /// The augmentation of each view of an image that a step contrasts, by the view's number in its
    /// [key](simclr_augment::ViewKey): first [`views_per_image`](Self::views_per_image), then the
    /// [`local_views`](Self::local_views).
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn view_augmentations(&self) -> Result<Vec<SimClrAugmentation>, TrainError> {
        self.check()?;
        let mut views = vec![self.augmentation()?; self.views_per_image];
        if let Some((augmentation, count)) = self.local_augmentation()? {
            views.extend(vec![augmentation; count]);
        }
        Ok(views)
    }

    /// The augmentation, made from its settings.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for a setting out of range; [`TrainError::Model`] if the encoder doesn't take views
    /// of this size.
    pub fn augmentation(&self) -> Result<SimClrAugmentation, TrainError> {
        self.suiting(self.augmentation.clone())
    }

    /// The augmentation of the [`local_views`](Self::local_views), and how many there are of each image; `None` without them.
    ///
    /// # Errors
    ///
    /// As [`augmentation`](Self::augmentation).
    pub fn local_augmentation(&self) -> Result<Option<(SimClrAugmentation, usize)>, TrainError> {
        let Some(local) = &self.local_views else { return Ok(None) };
        local.check()?;
        let augmentation = self.suiting(local.augmentation(&self.augmentation))?;
        Ok(Some((augmentation, local.count)))
    }

    /// An augmentation whose views the encoder takes.
    fn suiting(&self, config: AugmentationConfig) -> Result<SimClrAugmentation, TrainError> {
        let augmentation = SimClrAugmentation::new(config)?;
        self.encoder.check_image_size(augmentation.config().size as usize)?;
        Ok(augmentation)
    }
}
