//! A set with the labels of another.

use std::{path::PathBuf, sync::Arc};

use image::RgbImage;

use crate::{DataError, ImageDataset, ImagePart, PartialImage, Subset};

/// A set whose labels are translated, by class name, into those of another set.
struct Aligned {
    dataset: Arc<dyn ImageDataset>,
    /// The new label for each old one.
    labels: Vec<Option<usize>>,
    class_names: Vec<String>,
}

/// The images of `test` whose class `train` has, with the class names and labels of `train`; and the classes of `test`
/// that `train` lacks.
pub(crate) fn aligned(
    train: &Arc<dyn ImageDataset>,
    test: Arc<dyn ImageDataset>,
) -> Result<(Arc<dyn ImageDataset>, Vec<String>), DataError> {
    let known = train.class_names();
    if test.class_names() == known {
        return Ok((test, Vec::new()));
    }
    let position = |class: &String| known.iter().position(|name| name == class);
    let labels: Vec<Option<usize>> = test.class_names().iter().map(position).collect();
    let classes = test.class_names().iter().zip(&labels);
    let missing: Vec<String> =
        classes.filter(|(_, label)| label.is_none()).map(|(class, _)| class.clone()).collect();
    let (len, class_names) = (test.len(), known.to_vec());
    let test: Arc<dyn ImageDataset> = Arc::new(Aligned { dataset: test, labels, class_names });
    if missing.is_empty() {
        return Ok((test, missing));
    }
    let shared = (0..len).filter(|&index| test.label(index).is_some()).collect();
    Ok((Arc::new(Subset::new(test, shared)?), missing))
}

/// The same images, whose classes are those that an image of the set has.
pub(crate) fn with_own_classes(dataset: Arc<dyn ImageDataset>) -> Arc<dyn ImageDataset> {
    let mut used = vec![false; dataset.class_names().len()];
    for label in (0..dataset.len()).filter_map(|index| dataset.label(index)) {
        used[label] = true;
    }
    if used.iter().all(|&used| used) {
        return dataset;
    }
    let mut class_names = Vec::new();
    let mut labels = Vec::new();
    for (name, used) in dataset.class_names().iter().zip(used) {
        labels.push(used.then_some(class_names.len()));
        if used {
            class_names.push(name.clone());
        }
    }
    Arc::new(Aligned { dataset, labels, class_names })
}

impl ImageDataset for Aligned {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.dataset.image(index)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        self.dataset.image_part(index, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.dataset.label(index).and_then(|label| self.labels[label])
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.dataset.name(index)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.dataset.path(index)
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.dataset.stored_size(index)
    }
}
