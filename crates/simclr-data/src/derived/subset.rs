//! Some images of another set.

use std::{path::PathBuf, sync::Arc};

use image::RgbImage;

use super::draw::draw;
use crate::{DataError, ImageDataset, ImagePart, PartialImage};

/// Chosen images of another set, in a chosen order.
///
/// ```
/// use std::sync::Arc;
///
/// use simclr_data::{ImageDataset, Sample, SampleConfig, Subset};
///
/// let sample = Arc::new(Sample::new(SampleConfig::default())?);
/// let stars = Subset::new(sample, vec![4, 14, 24])?;
/// assert_eq!(stars.len(), 3);
/// assert_eq!(stars.name(2), "sample/star/24");
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Clone)]
pub struct Subset {
    dataset: Arc<dyn ImageDataset>,
    indices: Vec<usize>,
}

impl Subset {
    /// The images of `dataset` at `indices`, in that order. An index may occur more than once.
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] if `dataset` has no image at an index.
    pub fn new(dataset: Arc<dyn ImageDataset>, indices: Vec<usize>) -> Result<Self, DataError> {
        let len = dataset.len();
        for &index in &indices {
            DataError::check_index(index, len)?;
        }
        Ok(Self { dataset, indices })
    }

    /// `count` images that stand for the set, or all if there are fewer, in the set's order: of each class its share, and
    /// at least one as long as `count` allows. They are drawn, but the same each time.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use simclr_data::{ImageDataset, Sample, SampleConfig, Subset};
    ///
    /// let subset = Subset::drawn(Arc::new(Sample::new(SampleConfig::default())?), 20);
    /// for class in 0..10 {
    ///     assert_eq!((0..20).filter(|&index| subset.label(index) == Some(class)).count(), 2);
    /// }
    /// # Ok::<(), simclr_data::DataError>(())
    /// ```
    #[must_use]
    pub fn drawn(dataset: Arc<dyn ImageDataset>, count: usize) -> Self {
        let indices = draw(&dataset, count);
        Self { dataset, indices }
    }

    /// The first `count` images, or all if there are fewer.
    #[must_use]
    pub fn first(dataset: Arc<dyn ImageDataset>, count: usize) -> Self {
        let indices = (0..count.min(dataset.len())).collect();
        Self { dataset, indices }
    }
}

impl ImageDataset for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        DataError::check_index(index, self.indices.len())?;
        self.dataset.image(self.indices[index])
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        DataError::check_index(index, self.indices.len())?;
        self.dataset.image_part(self.indices[index], choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.indices.get(index).and_then(|&original| self.dataset.label(original))
    }

    fn class_names(&self) -> &[String] {
        self.dataset.class_names()
    }

    fn name(&self, index: usize) -> String {
        match self.indices.get(index) {
            Some(&original) => self.dataset.name(original),
            None => format!("[{index}]"),
        }
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.indices.get(index).and_then(|&original| self.dataset.path(original))
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.indices.get(index).and_then(|&original| self.dataset.stored_size(original))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sample, SampleConfig};

    fn sample() -> Arc<dyn ImageDataset> {
        Arc::new(Sample::new(SampleConfig { images: 20, size: 8, seed: 0 }).unwrap())
    }

    #[test]
    fn a_subset_keeps_images_labels_and_names_together() {
        let subset = Subset::new(sample(), vec![13, 2]).unwrap();
        assert_eq!(subset.image(0).unwrap(), sample().image(13).unwrap());
        assert_eq!((subset.label(0), subset.label(1), subset.label(2)), (Some(3), Some(2), None));
        assert_eq!(subset.name(1), "sample/bar/2");
    }

    #[test]
    fn a_subset_tells_the_files_of_its_own_images() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.png", "b.png"] {
            image::RgbImage::new(4, 4).save(dir.path().join(name)).unwrap();
        }
        let folder = Arc::new(crate::ImageFolder::open(dir.path()).unwrap());
        let both = crate::Concat::new(vec![Arc::new(Subset::new(folder, vec![1, 0]).unwrap())]);
        let file = |name| Some(dir.path().join(name));
        assert_eq!(
            [both.path(0), both.path(1), both.path(2)],
            [file("b.png"), file("a.png"), None]
        );
    }

    #[test]
    fn an_index_past_the_end_is_refused_when_the_subset_is_made() {
        assert!(matches!(
            Subset::new(sample(), vec![20]),
            Err(DataError::IndexOutOfRange { index: 20, len: 20 })
        ));
    }

    #[test]
    fn the_first_thousand_of_twenty_are_twenty() {
        assert_eq!(Subset::first(sample(), 1000).len(), 20);
    }

    #[test]
    fn an_image_past_the_end_is_an_error_even_if_the_whole_set_has_it() {
        let subset = Subset::first(sample(), 5);
        assert!(matches!(subset.image(5), Err(DataError::IndexOutOfRange { index: 5, len: 5 })));
    }
}
