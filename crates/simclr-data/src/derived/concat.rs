//! Several sets joined.

use std::{path::PathBuf, sync::Arc};

use image::RgbImage;

use crate::{DataError, ImageDataset, ImagePart, PartialImage};

/// The images of several sets, one set after the other.
///
/// The images keep their labels if all parts have the same classes. Otherwise no image has a label.
///
/// ```
/// use std::sync::Arc;
///
/// use simclr_data::{Concat, ImageDataset, Sample, SampleConfig};
///
/// let three = Sample::new(SampleConfig { images: 3, ..SampleConfig::default() })?;
/// let both = Concat::new(vec![Arc::new(three.clone()), Arc::new(three)]);
/// assert_eq!(both.len(), 6);
/// assert_eq!(both.image(4)?, both.image(1)?);
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Clone)]
pub struct Concat {
    parts: Vec<Arc<dyn ImageDataset>>,
    class_names: Vec<String>,
}

impl Concat {
    /// Joins the parts in the given order.
    #[must_use]
    pub fn new(parts: Vec<Arc<dyn ImageDataset>>) -> Self {
        let class_names = match parts.split_first() {
            Some((first, rest))
                if rest.iter().all(|part| part.class_names() == first.class_names()) =>
            {
                first.class_names().to_vec()
            }
            _ => Vec::new(),
        };
        Self { parts, class_names }
    }

    /// The part that holds the image at `index`, and the image's index there.
    fn locate(&self, index: usize) -> Result<(&dyn ImageDataset, usize), DataError> {
        let (part, local) = locate(index, self.parts.iter().map(ImageDataset::len))?;
        Ok((&*self.parts[part], local))
    }
}

/// Which of several parts, one after the other, holds the image at `index`, and the image's index there; `lens` are the
/// parts' numbers of images.
pub(crate) fn locate(
    index: usize,
    lens: impl Iterator<Item = usize>,
) -> Result<(usize, usize), DataError> {
    let mut before = 0;
    for (part, len) in lens.enumerate() {
        if index < before + len {
            return Ok((part, index - before));
        }
        before += len;
    }
    Err(DataError::IndexOutOfRange { index, len: before })
}

impl ImageDataset for Concat {
    fn len(&self) -> usize {
        self.parts.iter().map(ImageDataset::len).sum()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let (part, local) = self.locate(index)?;
        part.image(local)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        let (part, local) = self.locate(index)?;
        part.image_part(local, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        let (part, local) = self.locate(index).ok()?;
        part.label(local).filter(|_| !self.class_names.is_empty())
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.locate(index).map_or_else(|_| format!("[{index}]"), |(part, local)| part.name(local))
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.locate(index).ok().and_then(|(part, local)| part.path(local))
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.locate(index).ok().and_then(|(part, local)| part.stored_size(local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sample, SampleConfig};

    fn sample(images: usize) -> Arc<dyn ImageDataset> {
        Arc::new(Sample::new(SampleConfig { images, size: 8, seed: 0 }).unwrap())
    }

    #[test]
    fn the_second_part_begins_where_the_first_ends() {
        let both = Concat::new(vec![sample(3), sample(5)]);
        assert_eq!(
            (both.len(), both.label(2), both.label(3), both.label(8)),
            (8, Some(2), Some(0), None)
        );
        assert!(matches!(both.image(8), Err(DataError::IndexOutOfRange { index: 8, len: 8 })));
    }

    #[test]
    fn no_parts_are_an_empty_set() {
        assert!(Concat::new(Vec::new()).is_empty());
    }
}
