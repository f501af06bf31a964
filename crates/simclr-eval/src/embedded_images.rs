//! From images to features, labelled or not.

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};
use simclr_model::Encoder;

use crate::error::EvalError;
use crate::features::Features;
use crate::layer::Layer;

/// Images that go through the encoder at a time.
pub(crate) const EMBEDDING_BATCH: usize = 64;

/// What became of a data set that was embedded.
#[derive(Debug)]
pub struct EmbeddedImages {
    /// The features of every image that could be read, in order.
    pub features: Features,
    /// The index of each of them in the data set.
    pub images: Vec<usize>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

/// The features h of every image of a set, in order.
///
/// The encoder should be in its evaluation state ([`Module::valid`](burn::module::Module::valid)), so
/// that batch normalisation uses its running statistics. Images are decoded and transformed on all
/// cores while none is held longer than its batch.
///
/// # Errors
///
/// [`EvalError::Data`] if the set fails as a whole (one unreadable image is left out and reported in
/// [`EmbeddedImages::skipped`] instead), and [`EvalError::Device`] if the device does.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{Sample, SampleConfig};
/// use simclr_eval::{embed_images, nearest_neighbours};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
///
/// let device = Device::flex();
/// let images = Sample::new(SampleConfig { images: 8, size: 16, ..SampleConfig::default() })?;
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
/// let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).init(0, &device)?;
///
/// let features = embed_images(&encoder, &images, &transform, &device)?.features;
/// let nearest = nearest_neighbours(&features, &features, 3, &device)?;
/// assert_eq!((nearest.len(), nearest[5].len()), (8, 3));
/// assert!((nearest[5][0].cosine - 1.0).abs() < 1e-5); // an image is like itself
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn embed_images<E: Encoder<Input = Tensor<4>>>(
    encoder: &E,
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    device: &Device,
) -> Result<EmbeddedImages, EvalError> {
    let side = transform.size() as usize;
    collect(images, transform, Layer::Encoder, encoder.feature_size(), |pixels| {
        encoded(pixels, side, device, |batch| encoder.encode(batch)) // [n, feature_size]
    })
}

/// The features h of one image, as [`embed_images`] gives them: what to search an index for.
///
/// # Errors
///
/// [`EvalError::Augmentation`] for an image without pixels, [`EvalError::Device`] if the device fails.
pub fn embed_image<E: Encoder<Input = Tensor<4>>>(
    encoder: &E,
    image: &RgbImage,
    transform: &EvaluationTransform,
    device: &Device,
) -> Result<Features, EvalError> {
    let mut pixels = vec![0.0; transform.view_len()];
    transform.view_into(image, &mut pixels)?;
    let values = encoded(pixels, transform.size() as usize, device, |batch| encoder.encode(batch))?;
    Ok(Features::new(values, encoder.feature_size()).of_layer(Layer::Encoder))
}

/// What a network gives for a batch of images, one after the other.
pub(crate) fn encoded(
    pixels: Vec<f32>,
    side: usize,
    device: &Device,
    network: impl FnOnce(Tensor<4>) -> Tensor<2>,
) -> Result<Vec<f32>, EvalError> {
    let images = pixels.len() / (3 * side * side);
    let batch = TensorData::new(pixels, [images, 3, side, side]);
    to_host(network(Tensor::from_data(batch, device)))
}

/// The values of a tensor, row after row.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EvalError> {
    tensor.try_into_vec_as::<f32>().map_err(|error| EvalError::Device(format!("{error:?}")))
}

/// Features of every image by what `features_of` makes of a batch of pixels.
pub(crate) fn collect(
    images: &dyn ImageDataset,
    transform: &EvaluationTransform,
    layer: Layer,
    feature_size: usize,
    features_of: impl Fn(Vec<f32>) -> Result<Vec<f32>, EvalError>,
) -> Result<EmbeddedImages, EvalError> {
    let (mut values, mut kept, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for start in (0..images.len()).step_by(EMBEDDING_BATCH) {
        let end = (start + EMBEDDING_BATCH).min(images.len());
        let pictures: Vec<Result<Vec<f32>, EvalError>> =
            (start..end).into_par_iter().map(|index| pixels(images, index, transform)).collect();

        let mut batch = Vec::with_capacity(pictures.len() * transform.view_len());
        for (index, picture) in (start..end).zip(pictures) {
            match picture {
                Ok(picture) => {
                    batch.extend(picture);
                    kept.push(index);
                }
                Err(EvalError::Data(error)) if error.is_one_image() => skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        if !batch.is_empty() {
            values.extend(features_of(batch)?);
        }
    }
    let features = Features::new(values, feature_size).of_layer(layer);
    Ok(EmbeddedImages { features, images: kept, skipped })
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
