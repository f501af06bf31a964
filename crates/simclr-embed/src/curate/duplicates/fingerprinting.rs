//! Fingerprints of images that something else reads.

use std::path::PathBuf;
use std::sync::OnceLock;

use image::RgbImage;
use simclr_data::{DataError, ImageDataset, ImagePart, PartialImage};

use super::fingerprint::Fingerprint;

/// The images of another set, of each of which a [`Fingerprint`] is kept when it is read: so that an
/// [`Embedder`](crate::Embedder) and a search for duplicates read each image once.
///
/// ```
/// use simclr_data::{ImageDataset, Sample, SampleConfig};
/// use simclr_embed::Fingerprinting;
///
/// let images = Fingerprinting::new(Sample::new(SampleConfig { images: 3, ..SampleConfig::default() })?);
/// images.image(1)?; // or `embedder.embed(&images)?`
/// let prints = images.into_fingerprints();
/// assert!(prints[0].is_none() && prints[1].is_some());
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Debug)]
pub struct Fingerprinting<D> {
    images: D,
    prints: Vec<OnceLock<Fingerprint>>,
}

impl<D: ImageDataset> Fingerprinting<D> {
    /// Watches the reading of `images`.
    pub fn new(images: D) -> Self {
        let prints = std::iter::repeat_with(OnceLock::new).take(images.len()).collect();
        Self { images, prints }
    }

    /// The fingerprint of each image, as far as it was read as a whole and has a pixel.
    #[must_use]
    pub fn into_fingerprints(self) -> Vec<Option<Fingerprint>> {
        self.prints.into_iter().map(OnceLock::into_inner).collect()
    }
}

impl<D: ImageDataset> ImageDataset for Fingerprinting<D> {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let image = self.images.image(index)?;
        if let (Some(place), Ok(print)) = (self.prints.get(index), Fingerprint::new(&image)) {
            // Of an image that is read twice the first reading counts.
            let _ = place.set(print);
        }
        Ok(image)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
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
