//! A set whose reading is watched.

use std::path::PathBuf;

use image::RgbImage;

use crate::{DataError, ImageDataset, ImagePart, PartialImage};

/// The images of another set, before each reading of which something is done: it may count, or refuse to read on.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use simclr_data::{BeforeReading, DataError, ImageDataset, Sample, SampleConfig};
///
/// let reads = AtomicUsize::new(0);
/// let counted = BeforeReading::new(Sample::new(SampleConfig::default())?, |index| {
///     reads.fetch_add(1, Ordering::Relaxed);
///     DataError::check_index(index, 2)
/// });
/// assert!(counted.image(1).is_ok() && counted.image(2).is_err());
/// assert_eq!(reads.into_inner(), 2);
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BeforeReading<D, F> {
    images: D,
    act: F,
}

impl<D: ImageDataset, F: Fn(usize) -> Result<(), DataError> + Send + Sync> BeforeReading<D, F> {
    /// Calls `act` with the index of each image before it is read. After an error, which the reader gets, it isn't.
    pub fn new(images: D, act: F) -> Self {
        Self { images, act }
    }
}

impl<D: ImageDataset, F: Fn(usize) -> Result<(), DataError> + Send + Sync> ImageDataset
    for BeforeReading<D, F>
{
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        (self.act)(index)?;
        self.images.image(index)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        (self.act)(index)?;
        self.images.image_part(index, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.images.label(index)
    }

    fn class_names(&self) -> &[String] {
        self.images.class_names()
    }

    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.images.path(index)
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.images.stored_size(index)
    }
}
