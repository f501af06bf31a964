//! An image encoder and images in, feature vectors out; and what vectors answer.
//!
//! An [`Embedder`] is what a pretraining run leaves: an encoder, how images become its input, and a device. It is opened
//! from the run's folder, from a file of weights, or made from parts, and turns an image, or a data set, into vectors
//! that know their images' names.
//!
//! ```
//! use burn::tensor::Device;
//! use simclr_augment::SimClrAugmentation;
//! use simclr_data::{ImageDataset, Sample, SampleConfig};
//! use simclr_embed::{Embedder, ImageIndex};
//! use simclr_model::EncoderConfig;
//!
//! let device = Device::flex();
//! // or `Embedder::open("runs/1", &device)?`
//! let config: EncoderConfig = "resnet18x0.25_cifar".parse()?;
//! let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
//! let embedder = Embedder::new(config.init(0, &device)?, transform, &device);
//!
//! let images = Sample::new(SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
//! let embedded = embedder.embed(&images)?;
//! let index = ImageIndex::new(embedded.names, embedded.features, embedder.preparation())?;
//!
//! let query = embedder.embed_image(&images.image(7)?)?;
//! let found = index.nearest(&query, 3, &device)?;
//! assert_eq!(index.names()[found[0][0].row as usize], images.name(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What vectors answer
//!
//! | type | question |
//! |---|---|
//! | [`ImageIndex`] | which of these images are most like this one? Kept in a file |
//! | [`CosineIndex`] | which vectors are nearest to these? Exact, in bounded memory |
//! | [`NeighbourGraph`] | which vectors of a set are nearest to each of it? |
//! | [`DuplicateSearch`] | which images are copies of others? Asks their pixels, too |
//! | [`outlier_scores`] | which images are like no other? |
//! | [`SphericalKMeans`], [`group_count`] | which groups are there, and which image stands for each? |
//! | [`typical_images`], [`ExperimentalDesign`] | which images should get labels first? |
//! | [`PrincipalComponents`], [`Tsne`] | where do the images lie on a map? |
//! | [`Explanation`] | which regions make two images alike? |
//! | [`LabelledFeatures`] | is the encoder any good? `simclr-eval` answers |
//!
//! # Files
//!
//! [`Embedder::save`] writes safetensors that any tool reads; its header says what the weights are of
//! ([`EmbedderFile`]), so that [`Embedder::open`] needs nothing else. What a header says is checked before it is
//! believed.
//!
//! # Where to go next
//!
//! - Guide: [encoders and weights](https://docs.rs/crate/simclr/latest/source/docs/encoders.md).
//! - Example: [`embed_folder`](https://docs.rs/crate/simclr/latest/source/examples/embed_folder.rs) makes vectors of a
//!   folder and searches it.
//! - Beside it: [`simclr-model`](simclr_model) has the encoders, [`simclr-augment`](simclr_augment) and
//!   [`simclr-data`](simclr_data) the images, [`simclr-eval`](https://docs.rs/simclr-eval) says how good the vectors are,
//!   and [`simclr`](https://docs.rs/simclr) is all of it under one roof.

mod curate;
mod embedding;
mod error;
mod explain;
mod map;
mod search;
mod vectors;

pub use curate::{
    Duplicate, DuplicateGroup, DuplicateSearch, ExperimentalDesign, Fingerprint, Fingerprinting,
    GroupCount, Groups, Relation, SphericalKMeans, group_count, outlier_scores, pixel_checksum,
    typical_images,
};
pub use embedding::{
    Embedded, EmbeddedLabelled, Embedder, EmbedderFile, OnnxOptions, Preparation, VectorFile,
    VectorsWritten, raw_pixels,
};
pub use error::EmbedError;
pub use explain::{Explanation, Reason, SimilarityMap};
pub use map::{PrincipalComponents, Tsne};
pub use search::{CosineIndex, ImageIndex, Neighbour, NeighbourGraph, nearest_neighbours};
/// The error for a value out of range, the same in every crate.
pub use simclr_range::OutOfRange;
pub use vectors::{FeatureSource, Features, LabelledFeatures, labels_of};

/// The README's code is tested with the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
