//! A set with the labels of another.

use std::sync::Arc;

use image::RgbImage;

use crate::{DataError, ImageDataset};

/// A set whose labels are translated, by class name, into those of another set.
pub(crate) struct Aligned {
    dataset: Arc<dyn ImageDataset>,
    /// The new label for each old one.
    labels: Vec<usize>,
    class_names: Vec<String>,
}

impl Aligned {
    /// `test` with the class names and labels of `train`, of which `test` may have fewer classes.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownClass`] if `test` has a class that `train` lacks.
    pub(crate) fn to(
        train: &Arc<dyn ImageDataset>,
        test: Arc<dyn ImageDataset>,
    ) -> Result<Arc<dyn ImageDataset>, DataError> {
        let known = train.class_names();
        if test.class_names() == known {
            return Ok(test);
        }
        let position = |class: &String| {
            known.iter().position(|name| name == class).ok_or_else(|| DataError::UnknownClass {
                class: class.clone(),
                known: known.to_vec(),
            })
        };
        let labels = test.class_names().iter().map(position).collect::<Result<_, _>>()?;
        let class_names = known.to_vec();
        Ok(Arc::new(Self { dataset: test, labels, class_names }))
    }
}

impl ImageDataset for Aligned {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.dataset.image(index)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.dataset.label(index).map(|label| self.labels[label])
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.dataset.name(index)
    }
}
