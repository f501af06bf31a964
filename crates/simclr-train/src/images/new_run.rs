//! What a new run begins from: a recipe, or what suits its images.

use simclr_data::Splits;

use crate::error::TrainError;
use crate::images::pretrain_config::PretrainConfig;
use crate::images::recipe::Recipe;
use crate::run::image_source::ImageSource;

impl PretrainConfig {
    /// The config of a new run on `data`, the images of `source`: a recipe's, or what suits the built-in sample
    /// ([`for_sample`](Self::for_sample)) or the images ([`for_images`](Self::for_images)); with views of `image_size` x
    /// `image_size` pixels, if that is given. A recipe keeps its batches, however few the images are.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] if the images cannot be read, [`TrainError::Augmentation`] for a size outside 1 to 16384.
    pub fn of_new_run(
        source: &ImageSource,
        data: &Splits,
        recipe: Option<Recipe>,
        image_size: Option<u32>,
    ) -> Result<Self, TrainError> {
        let config = match (recipe, &source.folder, image_size) {
            (Some(recipe), _, _) => recipe.config(),
            (None, None, _) => Self::for_sample()?.with_batch_within(data.pretrain.len()),
            (None, Some(_), Some(size)) => {
                Self::small(size)?.with_batch_within(data.pretrain.len())
            }
            (None, Some(_), None) => Self::for_images(data)?,
        };
        match image_size {
            Some(size) => config.with_image_size(size),
            None => Ok(config),
        }
    }
}
