//! Several sets, one after the other.

use std::sync::Arc;

use image::RgbImage;

use crate::{DataError, ImageDataset};

/// The images of several sets, one set after the other.
///
/// Labels are kept if all parts have the same classes; else all images count as unlabelled.
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
    /// The parts in the given order.
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
        let mut local = index;
        for part in &self.parts {
            if local < part.len() {
                return Ok((part, local));
            }
            local -= part.len();
        }
        Err(DataError::IndexOutOfRange { index, len: self.len() })
    }
}

impl ImageDataset for Concat {
    fn len(&self) -> usize {
        self.parts.iter().map(ImageDataset::len).sum()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let (part, local) = self.locate(index)?;
        part.image(local)
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
    fn nothing_concatenated_is_empty() {
        assert!(Concat::new(Vec::new()).is_empty());
    }
}
