//! The images themselves as features.

use simclr_augment::EvaluationTransform;
use simclr_data::ImageDataset;

use super::batches::set_reader;
use super::embedded::{Embedded, EmbeddedLabelled};
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, labels_of};

/// Images that are read at a time.
const BATCH: usize = 64;

/// The transformed images of a labelled set as features, `[images, 3 * size * size]`: the floor that any encoder
/// should beat.
///
/// # Errors
///
/// [`EmbedError::Unlabelled`] if an image has no label; [`EmbedError::Data`] if the set fails as a whole,
/// [`EmbedError::Augmentation`] for an image without pixels.
pub fn raw_pixels(
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
) -> Result<EmbeddedLabelled, EmbedError> {
    let labels = labels_of(images)?;
    let rows = set_reader(images, transform, BATCH).through(images.len(), Ok)?;
    let pixels = Embedded::new(rows, transform.view_len(), FeatureSource::RawPixels, images);
    Ok(pixels.labelled(&labels))
}
