//! Features with their images' classes.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};
use simclr_model::Encoder;

use crate::error::EvalError;
use crate::features::Features;

/// Images that go through the encoder at a time.
const BATCH_SIZE: usize = 64;

/// Features of labelled images: row i of the features is of class `labels[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFeatures {
    /// One feature vector per image.
    pub features: Features,
    /// One class per image.
    pub labels: Vec<usize>,
}

/// What became of a data set that was embedded.
#[derive(Debug)]
pub struct Embedded {
    /// The features of every image that could be read, in order.
    pub labelled: LabelledFeatures,
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
    collect(images, transform, encoder.feature_size(), |pixels, count| {
        let batch = TensorData::new(pixels, [count, 3, side, side]);
        let h = encoder.encode(Tensor::from_data(batch, device)); // [count, feature_size]
        h.try_into_vec_as::<f32>().map_err(|error| EvalError::Device(format!("{error:?}")))
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
    collect(images, transform, transform.view_len(), |pixels, _| Ok(pixels))
}

fn collect(
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    feature_size: usize,
    mut features_of: impl FnMut(Vec<f32>, usize) -> Result<Vec<f32>, EvalError>,
) -> Result<Embedded, EvalError> {
    let (mut values, mut labels, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for start in (0..images.len()).step_by(BATCH_SIZE) {
        let end = (start + BATCH_SIZE).min(images.len());
        let pictures: Vec<Result<Vec<f32>, EvalError>> =
            (start..end).into_par_iter().map(|index| pixels(images, index, transform)).collect();

        let mut batch = Vec::with_capacity(pictures.len() * transform.view_len());
        let before = labels.len();
        for (index, picture) in (start..end).zip(pictures) {
            match picture {
                Ok(picture) => {
                    batch.extend(picture);
                    let unlabelled = || EvalError::Unlabelled { name: images.name(index) };
                    labels.push(images.label(index).ok_or_else(unlabelled)?);
                }
                Err(EvalError::Data(error)) if error.is_one_image() => skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        if labels.len() > before {
            values.extend(features_of(batch, labels.len() - before)?);
        }
    }
    let labelled = LabelledFeatures { features: Features::new(values, feature_size), labels };
    Ok(Embedded { labelled, skipped })
}

fn pixels(
    images: &dyn ImageDataset,
    index: usize,
    transform: &EvaluationTransform,
) -> Result<Vec<f32>, EvalError> {
    let mut pixels = vec![0.0; transform.view_len()];
    transform.view_into(&images.image(index)?, &mut pixels)?;
    Ok(pixels)
}
