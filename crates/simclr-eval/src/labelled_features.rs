//! Features with their images' classes.

use burn::tensor::{Device, Tensor, TensorData};
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};
use simclr_model::{Encoder, SimClr};

use crate::embedded_images::{self, EmbeddedImages, to_host};
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
        self.features.check("bank")
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

    /// Whether `queries` can be compared with these.
    pub(crate) fn check_queries(&self, queries: &Features) -> Result<(), EvalError> {
        let (expected, found) = (self.features.size(), queries.size());
        if expected != found {
            return Err(EvalError::FeatureSize { expected, found });
        }
        queries.check("queries")
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

/// What became of a data set that was embedded.
#[derive(Debug)]
pub struct Embedded {
    /// The features of every image that could be read, in order.
    pub labelled: LabelledFeatures,
    /// The index of each of them in the data set.
    pub images: Vec<usize>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

/// The features h of every image of a labelled set, in order.
///
/// The encoder should be in its evaluation state ([`Module::valid`](burn::module::Module::valid)), so
/// that batch normalisation uses its running statistics. Images are decoded and transformed on all
/// cores while none is held longer than its batch.
///
/// # Errors
///
/// [`EvalError::Unlabelled`] if an image has no label, [`EvalError::Data`] if the set fails as a whole
/// (one unreadable image is left out and reported in [`Embedded::skipped`] instead), and
/// [`EvalError::Device`] if the device does.
pub fn embed<E: Encoder<Input = Tensor<4>>>(
    encoder: &E,
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    device: &Device,
) -> Result<Embedded, EvalError> {
    let side = transform.size() as usize;
    collect(images, transform, Layer::Encoder, encoder.feature_size(), |pixels, count| {
        let batch = TensorData::new(pixels, [count, 3, side, side]);
        to_host(encoder.encode(Tensor::from_data(batch, device))) // [count, feature_size]
    })
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
    let side = transform.size() as usize;
    let size = model.project(Tensor::zeros([1, 3, side, side], device)).dims()[1];
    collect(images, transform, Layer::Projection, size, |pixels, count| {
        let batch = TensorData::new(pixels, [count, 3, side, side]);
        to_host(model.project(Tensor::from_data(batch, device))) // [count, output_size]
    })
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
    collect(images, transform, Layer::RawPixels, transform.view_len(), |pixels, _| Ok(pixels))
}

/// The features of all readable images, and their labels, without which nothing is computed.
fn collect(
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    layer: Layer,
    feature_size: usize,
    features_of: impl FnMut(Vec<f32>, usize) -> Result<Vec<f32>, EvalError>,
) -> Result<Embedded, EvalError> {
    let labels = labels_of(images)?;
    let EmbeddedImages { features, images, skipped } =
        embedded_images::collect(images, transform, layer, feature_size, features_of)?;
    let labels = images.iter().map(|&index| labels[index]).collect();
    Ok(Embedded { labelled: LabelledFeatures { features, labels }, images, skipped })
}

/// The class of every image, also of those that cannot be read.
pub(crate) fn labels_of(images: &dyn ImageDataset) -> Result<Vec<usize>, EvalError> {
    (0..images.len()).map(|index| label_of(images, index)).collect()
}

fn label_of(images: &dyn ImageDataset, index: usize) -> Result<usize, EvalError> {
    images.label(index).ok_or_else(|| EvalError::Unlabelled { name: images.name(index) })
}
