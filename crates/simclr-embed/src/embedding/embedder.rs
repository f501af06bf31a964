//! An encoder and all that turns images into its vectors.

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use simclr_augment::EvaluationTransform;
use simclr_data::ImageDataset;
use simclr_model::{Encoder, EncoderConfig, ImageEncoder, Inference, ProjectionHead};
use simclr_range::OutOfRange;
use simclr_traffic::{receive, send};

use super::batches::{Reader, set_reader};
use super::embedded::{Embedded, EmbeddedLabelled};
use super::embedder_file::EmbedderFile;
use super::preparation::Preparation;
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, Features, labels_of};

/// Images in a batch by default, and pixels: at 224 x 224, 256 images would take gigabytes in the first layers.
const MOST_IMAGES: usize = 256;
const MOST_PIXELS: usize = 1 << 22;

/// What a run leaves: an encoder, how images become its input, and the device it runs on.
///
/// Images go through it in batches, and the next batch is read and transformed on the host while the device embeds the
/// current one. The vectors don't depend on the number of threads, nor on the size of the batches, except for rounding
/// where a backend chooses another kernel for another size.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{Sample, SampleConfig};
/// use simclr_embed::{Embedder, nearest_neighbours};
/// use simclr_model::EncoderConfig;
///
/// # let folder = tempfile::tempdir()?;
/// # let run = folder.path();
/// # let device = Device::flex();
/// // From parts; `Embedder::from_weights` takes a file of torchvision or timm.
/// let config: EncoderConfig = "resnet18x0.25_cifar".parse()?;
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
/// let embedder = Embedder::new(config.init(0, &device)?, transform, &device).with_config(config);
/// embedder.save(run.join("encoder.safetensors"))?; // as a run does when it ends
///
/// let embedder = Embedder::open(run, &device)?;
/// let images = Sample::new(SampleConfig { images: 8, size: 16, ..SampleConfig::default() })?;
/// let embedded = embedder.embed(&images)?;
/// assert_eq!(embedded.names[4], "sample/star/4");
///
/// let nearest = nearest_neighbours(&embedded.features, &embedded.features, 3, &device)?;
/// assert_eq!((nearest.len(), nearest[5].len()), (8, 3));
/// assert!((nearest[5][0].cosine - 1.0).abs() < 1e-5); // an image is like itself
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Embedder<E = ImageEncoder> {
    encoder: E,
    /// What the encoder becomes when it is first used.
    ready: OnceLock<Inference<Tensor<4>>>,
    transform: EvaluationTransform,
    device: Device,
    /// Further devices that share the batches.
    more_devices: Vec<Device>,
    config: Option<EncoderConfig>,
    batch_size: usize,
}

impl<E: Encoder<Input = Tensor<4>>> Embedder<E> {
    /// An embedder from its parts. `encoder` is on `device`; a copy in its evaluation state is kept, without gradients
    /// and with the running statistics of its normalisation.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an embedder owns its encoder")]
    pub fn new(encoder: E, transform: EvaluationTransform, device: &Device) -> Self {
        let pixels = (transform.size() as usize).pow(2);
        Self {
            encoder: encoder.valid(),
            ready: OnceLock::new(),
            transform,
            device: device.clone().inner(),
            more_devices: Vec::new(),
            config: None,
            batch_size: (MOST_PIXELS / pixels).clamp(1, MOST_IMAGES),
        }
    }

    /// The same embedder with the config that its encoder was made from, if that is known. [`save`](Self::save) writes
    /// it, and [`open`](Embedder::open) needs it.
    #[must_use]
    pub fn with_config(self, config: impl Into<Option<EncoderConfig>>) -> Self {
        Self { config: config.into(), ..self }
    }

    /// The same embedder with another encoder of the same architecture, such as one with random weights or a fine-tuned
    /// one.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an embedder owns its encoder")]
    pub fn with_encoder(self, encoder: E) -> Self {
        Self { encoder: encoder.valid(), ready: OnceLock::new(), ..self }
    }

    /// The same embedder with so many images in a batch, at least 1. The default is 256, or as many as have 2^22 pixels
    /// if that is fewer.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for 0.
    pub fn with_batch_size(self, batch_size: usize) -> Result<Self, OutOfRange> {
        OutOfRange::unless(batch_size > 0, "batch_size", "at least 1", batch_size)?;
        Ok(Self { batch_size, ..self })
    }

    /// The same embedder on these devices too: data sets are spread over all of them, a batch at a time. Each gets a copy of
    /// the encoder when a set is embedded.
    #[must_use]
    pub fn with_more_devices(self, devices: &[Device]) -> Self {
        let more_devices = devices.iter().map(|device| device.clone().inner()).collect();
        Self { more_devices, ..self }
    }

    /// The encoder, in its evaluation state.
    #[must_use]
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// How an image becomes the encoder's input.
    #[must_use]
    pub fn transform(&self) -> &EvaluationTransform {
        &self.transform
    }

    /// The devices that share the images, the first one first.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Device> {
        std::iter::once(&self.device).chain(&self.more_devices)
    }

    /// Images in a batch.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Where the encoder runs.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The config that the encoder was made from, if that is known.
    #[must_use]
    pub fn config(&self) -> Option<&EncoderConfig> {
        self.config.as_ref()
    }

    /// What the vectors depend on beside the images, for an [`ImageIndex`](crate::ImageIndex) to know its queries by.
    /// Reads all weights: milliseconds, or a second for networks of a hundred million parameters.
    #[must_use]
    pub fn preparation(&self) -> Preparation {
        Preparation::by(&self.encoder, &self.transform)
    }

    /// Length of a feature vector.
    #[must_use]
    pub fn feature_size(&self) -> usize {
        self.encoder.feature_size()
    }

    /// The features h of one image: a single row.
    ///
    /// # Errors
    ///
    /// Those of [`embed_images`](Self::embed_images).
    pub fn embed_image(&self, image: &RgbImage) -> Result<Features, EmbedError> {
        self.embed_images(std::slice::from_ref(image))
    }

    /// The features h of some images, which may be of any size.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Augmentation`] for an image without pixels, [`EmbedError::Device`] if the device fails.
    pub fn embed_images(&self, images: &[RgbImage]) -> Result<Features, EmbedError> {
        let transform = &self.transform;
        let reader = Reader {
            batch_size: self.batch_size,
            view_len: transform.view_len(),
            read: |index: usize, out: &mut [f32]| Ok(transform.view_into(&images[index], out)?),
        };
        let rows = reader.through_all(images.len(), &mut self.networks()[..1])?;
        Ok(Features::new(rows.values, self.feature_size()).with_source(FeatureSource::Encoder))
    }

    /// The features h of every image of a set, in order.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Data`] if the set fails as a whole (one unreadable image is left out and reported in
    /// [`Embedded::skipped`] instead), [`EmbedError::Augmentation`] for an image without pixels,
    /// [`EmbedError::Device`] if the device fails.
    pub fn embed(&self, images: &dyn ImageDataset) -> Result<Embedded, EmbedError> {
        let reader = set_reader(images, &self.transform, self.batch_size);
        let rows = reader.through_all(images.len(), &mut self.networks())?;
        Ok(Embedded::new(rows, self.feature_size(), FeatureSource::Encoder, images))
    }

    /// Hands `each` the features of the images in `range`, batch by batch and in order, with the range of the images that
    /// were tried: for sets whose features don't fit into memory. No more than two batches for each device are held.
    /// [`VectorFile`](crate::VectorFile) keeps them.
    ///
    /// # Errors
    ///
    /// Those of [`embed`](Self::embed), and those of `each`, which end it.
    ///
    /// # Panics
    ///
    /// If the range ends beyond the set.
    pub fn embed_each<X: From<EmbedError>>(
        &self,
        images: &dyn ImageDataset,
        range: Range<usize>,
        each: impl FnMut(Range<usize>, Embedded) -> Result<(), X>,
    ) -> Result<(), X> {
        self.each_through(&mut self.networks(), self.feature_size(), images, range, each)
    }

    /// Hands `each` what the networks, which give `size` values an image, make of the images in `range`.
    pub(super) fn each_through<X: From<EmbedError>>(
        &self,
        networks: &mut [impl FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send],
        size: usize,
        images: &dyn ImageDataset,
        range: Range<usize>,
        mut each: impl FnMut(Range<usize>, Embedded) -> Result<(), X>,
    ) -> Result<(), X> {
        let (end, len) = (range.end, images.len());
        assert!(end <= len, "expected a range within {len} images, found one that ends at {end}");
        let reader = set_reader(images, &self.transform, self.batch_size);
        reader.each(range, networks, |range, rows| {
            each(range, Embedded::new(rows, size, FeatureSource::Encoder, images))
        })
    }

    /// The features h of every image of a labelled set, in order: [`embed`](Self::embed) with labels.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Unlabelled`] if an image has no label, before anything is computed; those of
    /// [`embed`](Self::embed).
    pub fn embed_labelled(
        &self,
        images: &dyn ImageDataset,
    ) -> Result<EmbeddedLabelled, EmbedError> {
        let labels = labels_of(images)?;
        Ok(self.embed(images)?.labelled(&labels))
    }

    /// The projections z of every image of a labelled set by the `head` that the encoder was trained under: what the
    /// loss compared. They are not used after training, and a probe on them shows why.
    ///
    /// # Errors
    ///
    /// Those of [`embed_labelled`](Self::embed_labelled).
    pub fn embed_projections(
        &self,
        head: &ProjectionHead,
        images: &dyn ImageDataset,
    ) -> Result<EmbeddedLabelled, EmbedError> {
        let labels = labels_of(images)?;
        let head = head.valid();
        let size = head.forward(Tensor::zeros([1, self.feature_size()], &self.device)).dims()[1];
        let reader = set_reader(images, &self.transform, self.batch_size);
        let (encoder, device) = (self.ready(), self.device.clone());
        let side = self.transform.size() as usize;
        let rows = reader.through(images.len(), move |pixels| {
            to_host(head.forward(encode(&encoder, pixels, side, &device))) // [n, output_size]
        })?;
        Ok(Embedded::new(rows, size, FeatureSource::Projection, images).labelled(&labels))
    }

    /// Writes the encoder to a file that says what it is: its config, if [that is known](Self::with_config), and the
    /// transform. The file appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// Those of [`EmbedderFile::write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), EmbedError> {
        EmbedderFile::write(&self.encoder, self.config(), &self.transform, [], path)
    }

    /// The encoder, ready for inference.
    pub(crate) fn ready(&self) -> Inference<Tensor<4>> {
        self.ready.get_or_init(|| self.encoder.inference()).clone()
    }

    /// A copy of the encoder on each device: pixels of a batch in, features out.
    fn networks(
        &self,
    ) -> Vec<impl FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send + use<E>> {
        let on_device = |(encoder, device): (Inference<Tensor<4>>, Device)| {
            let size = self.transform.size() as usize;
            move |pixels| to_host(encode(&encoder, pixels, size, &device))
        };
        let first = (self.ready(), self.device.clone());
        let copy =
            |device: &Device| (self.encoder.clone().to_device(device).inference(), device.clone());
        let more = self.more_devices.iter().map(copy);
        std::iter::once(first).chain(more).map(on_device).collect()
    }
}

/// The features of a batch of images of `size` x `size` pixels: `[n, feature_size]`.
fn encode(
    encoder: &Inference<Tensor<4>>,
    pixels: Vec<f32>,
    size: usize,
    device: &Device,
) -> Tensor<2> {
    encoder.encode(batch_of(pixels, size, device))
}

/// A batch of images of `size` x `size` pixels on a device.
pub(crate) fn batch_of(pixels: Vec<f32>, size: usize, device: &Device) -> Tensor<4> {
    let images = pixels.len() / (3 * size * size);
    send(TensorData::new(pixels, [images, 3, size, size]), device)
}

/// The values of a tensor, row after row.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EmbedError> {
    let values = receive(tensor).map_err(EmbedError::device)?;
    values.try_into_vec_as::<f32>().map_err(EmbedError::device)
}
