//! Features with their images' classes.

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};
use simclr_model::{Encoder, SimClr};

use crate::embedded_images::{EmbeddedImages, collect, embed_images, encoded};
use crate::error::EvalError;
use crate::features::Features;
use crate::layer::Layer;

/// Features of labelled images: row i of the features is of class `labels[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFeatures {
    /// One feature vector per image.
    pub features: Features,
    /// One class per image.
    pub labels: Vec<usize>,
}

impl LabelledFeatures {
    /// Whether a classifier can learn from them.
    ///
    /// # Errors
    ///
    /// [`EvalError::LabelCount`] unless there is one label per image, [`EvalError::NoImages`] if there is
    /// none, [`EvalError::NotFinite`] for a feature that is infinite or no number.
    pub fn check(&self) -> Result<(), EvalError> {
        self.check_count()?;
        self.features.check("train")
    }

    /// That there is one label per image.
    pub(crate) fn check_count(&self) -> Result<(), EvalError> {
        let (expected, found) = (self.features.len(), self.labels.len());
        if expected == found { Ok(()) } else { Err(EvalError::LabelCount { expected, found }) }
    }

    /// [`check`](Self::check), and that there is more than one class.
    pub(crate) fn check_classes(&self) -> Result<(), EvalError> {
        self.check()?;
        let first = self.labels[0];
        if self.labels.iter().all(|&label| label == first) {
            return Err(EvalError::OneClass { found: first });
        }
        Ok(())
    }

    /// Whether `test` can be compared with these.
    pub(crate) fn check_queries(&self, test: &Features) -> Result<(), EvalError> {
        let (expected, found) = (self.features.size(), test.size());
        if expected != found {
            return Err(EvalError::FeatureSize { expected, found });
        }
        test.check("test")
    }

    /// The images at `rows`, in that order.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.features.row(row)).copied().collect();
        let features = Features::new(values, self.features.size()).of_layer(self.features.layer());
        Self { features, labels: rows.iter().map(|&row| self.labels[row]).collect() }
    }
}

/// What became of a labelled data set that was embedded.
#[derive(Debug)]
pub struct Embedded {
    /// The features of every image that could be read, in order.
    pub labelled: LabelledFeatures,
    /// The index of each of them in the data set.
    pub images: Vec<usize>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

impl Embedded {
    /// The features with the labels of their images, out of those of all.
    fn new(embedded: EmbeddedImages, labels: &[usize]) -> Self {
        let EmbeddedImages { features, images, skipped } = embedded;
        let labels = images.iter().map(|&index| labels[index]).collect();
        Self { labelled: LabelledFeatures { features, labels }, images, skipped }
    }
}

/// The features h of every image of a labelled set, in order: [`embed_images`] with labels.
///
/// # Errors
///
/// [`EvalError::Unlabelled`] if an image has no label, and those of [`embed_images`].
pub fn embed<E: Encoder<Input = Tensor<4>>>(
    encoder: &E,
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    device: &Device,
) -> Result<Embedded, EvalError> {
    // Asked for first: nothing is computed of a set that is refused.
    let labels = labels_of(images)?;
    Ok(Embedded::new(embed_images(encoder, images, transform, device)?, &labels))
}

/// The projections z of every image of a labelled set: what the loss compared. They are not used after
/// training, and a probe on them shows why.
///
/// # Errors
///
/// Those of [`embed`].
pub fn embed_projections<E: Encoder<Input = Tensor<4>>>(
    model: &SimClr<E>,
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    device: &Device,
) -> Result<Embedded, EvalError> {
    let labels = labels_of(images)?;
    let side = transform.size() as usize;
    let size = model.project(Tensor::zeros([1, 3, side, side], device)).dims()[1];
    let projected = collect(images, transform, Layer::Projection, size, |pixels| {
        encoded(pixels, side, device, |batch| model.project(batch)) // [n, output_size]
    })?;
    Ok(Embedded::new(projected, &labels))
}

/// The images themselves as features: the floor that any encoder should beat.
///
/// # Errors
///
/// Those of [`embed`].
pub fn raw_pixels(
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
) -> Result<Embedded, EvalError> {
    let labels = labels_of(images)?;
    let pixels = collect(images, transform, Layer::RawPixels, transform.view_len(), Ok)?;
    Ok(Embedded::new(pixels, &labels))
}

/// The class of every image, also of those that cannot be read.
pub(crate) fn labels_of(images: &dyn ImageDataset) -> Result<Vec<usize>, EvalError> {
    let unlabelled = |index| EvalError::Unlabelled { name: images.name(index) };
    (0..images.len()).map(|index| images.label(index).ok_or_else(|| unlabelled(index))).collect()
}
