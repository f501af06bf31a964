//! What becomes of a data set that is embedded.

use simclr_data::{DataError, ImageDataset};

use super::batches::Rows;
use crate::vectors::{FeatureSource, Features, LabelledFeatures};

/// What became of a data set that was embedded. Row i of the features is of the image `indices[i]`, which is
/// called `names[i]`.
#[derive(Debug)]
pub struct Embedded {
    /// The features of every image that could be read, in order.
    pub features: Features,
    /// The index of each of these images in the data set.
    pub indices: Vec<usize>,
    /// The name of each of these images.
    pub names: Vec<String>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

/// What became of a labelled data set that was embedded: [`Embedded`] with labels.
#[derive(Debug)]
pub struct EmbeddedLabelled {
    /// The features of every image that could be read, in order, and their labels.
    pub labelled: LabelledFeatures,
    /// The index of each of these images in the data set.
    pub indices: Vec<usize>,
    /// The name of each of these images.
    pub names: Vec<String>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

impl Embedded {
    /// Features of `size` values each, with the names that the images have in their set.
    pub(super) fn new(
        rows: Rows,
        size: usize,
        source: FeatureSource,
        images: &dyn ImageDataset,
    ) -> Self {
        let Rows { values, indices, skipped } = rows;
        let features = Features::new(values, size).with_source(source);
        let names = indices.iter().map(|&index| images.name(index)).collect();
        Self { features, indices, names, skipped }
    }

    /// With the labels of these images, out of those of the whole set.
    pub(super) fn labelled(self, labels: &[usize]) -> EmbeddedLabelled {
        let Self { features, indices, names, skipped } = self;
        let labels = indices.iter().map(|&index| labels[index]).collect();
        let labelled = LabelledFeatures::new(features, labels).expect("every index has a label");
        EmbeddedLabelled { labelled, indices, names, skipped }
    }
}
