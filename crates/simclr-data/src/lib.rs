//! Images to learn from, and labels to find out what was learnt.
//!
//! Pretraining takes any [`ImageDataset`]: indexed images, maybe with labels. An image is an
//! [`image::RgbImage`], 8 bits per channel. An index stands for the same image each time, so a run that is keyed by
//! index can be repeated and resumed.
//!
//! # Without any data
//!
//! [`Sample`] draws its pictures itself: shapes of ten classes. Everything in a picture but its shape is random.
//!
//! ```
//! use simclr_data::{ImageDataset, Sample, SampleConfig};
//!
//! let sample = Sample::new(SampleConfig { seed: 7, images: 1000, size: 96 })?;
//! let image = sample.image(4)?;
//! assert_eq!(image.dimensions(), (96, 96));
//!
//! let label = sample.label(4).expect("every picture of the sample has a label");
//! assert_eq!(sample.class_names()[label], "star");
//! # Ok::<(), simclr_data::DataError>(())
//! ```
//!
//! # With data of your own
//!
//! | type | reads | labelled images |
//! |---|---|---|
//! | [`Stl10`] | STL-10's binary files, memory-mapped | those of the training and the test split |
//! | [`Cifar10`] | CIFAR-10's binary files, memory-mapped | all |
//! | [`ImageFolder`] | JPEG, PNG, WebP, BMP, GIF and TIFF files | those in sub-folders, which are the classes |
//! | [`Shards`] | such files in tar archives, by positioned reads | those with a `.cls` or `.json` beside them, or in folders |
//! | `ParquetImages` | such files in a column of Parquet files | those with a number in the column `label` |
//!
//! [`pack`] makes one file of a set: shrunk images with checksums, which are read faster than the originals.
//! [`Subset`] picks images out of a set, [`Concat`] joins sets, and [`BeforeReading`] watches what is read. [`Splits::open`] looks at what a folder holds and
//! decides which images serve pretraining, which the training of a probe, and which its test. Pretraining never sees an
//! image of the test set. [`WholeSet::open`] opens the same folders and has every image, with its split and its class.
//!
//! ```
//! use simclr_data::{ImageDataset, SampleConfig, Splits};
//!
//! # let config = SampleConfig { images: 100, ..SampleConfig::default() };
//! // or `Splits::open("data/stl10")?`
//! let splits = Splits::sample(&config)?;
//! println!("{}", splits.description);
//! if let Some(labelled) = &splits.labelled {
//!     assert_eq!(labelled.train.class_names(), labelled.test.class_names());
//! }
//! # Ok::<(), simclr_data::DataError>(())
//! ```
//!
//! # Damaged and hostile files
//!
//! Whatever is wrong with a file is a [`DataError`], which names the file and says what was expected and what was
//! found. Nothing panics, and no header is trusted with the size of an allocation. Binary files are checked when they
//! are opened, and so are the headers of shards. Image files are opened one by one when they are needed. [`DataError::is_one_image`] tells an image that
//! cannot be read or decoded from all other faults, so that a run may leave the image out and continue. What may be the
//! hiccup of a disk or a network is tried again first.
//!
//! # Names
//!
//! The name of an image in a folder is its path below the folder as [`escape_name`] writes it: one line, different for
//! each file, and [`unescape_name`] leads back to the file, whatever bytes its name holds. So are the names of classes.
//!
//! # Unsafe code
//!
//! Mapping a file into memory is `unsafe` in Rust, since another process may change the file. One function does it; the
//! rest of the crate is safe code. [`Stl10`] and [`Cifar10`] say what must not happen to a mapped file.
//!
//! # Features
//!
//! - `download` (on by default) adds `Stl10::download` and `Cifar10::download`, which fetch the official archives, and
//!   `WeightCache`, which fetches published weights. It brings in an HTTP client.
//! - `parquet` adds `ParquetImages`. Without it, [`Splits::open`] refuses Parquet files and says why.
//!
//! # Where to go next
//!
//! - Guide: [what your data may look like](https://docs.rs/crate/simclr/latest/source/docs/data.md).
//! - Example: [`stl10_pretrain`](https://docs.rs/crate/simclr/latest/source/examples/stl10_pretrain/main.rs) trains on what
//!   `Splits` opens.
//! - Beside it: [`simclr-augment`](https://docs.rs/simclr-augment) makes views of the images,
//!   [`simclr-embed`](https://docs.rs/simclr-embed) makes vectors of them, [`simclr-train`](https://docs.rs/simclr-train)
//!   learns from them, and [`simclr`](https://docs.rs/simclr) is all of it under one roof.

mod binary;
mod caught;
mod dataset;
mod decode;
mod derived;
#[cfg(feature = "download")]
mod download;
mod error;
mod escaped_name;
mod image_folder;
mod index_file;
mod opening;
mod part;
mod patience;
mod printable;
mod sample;
mod shards;
mod sorting;
mod splits;

pub use binary::{Cifar10, Cifar10Split, Stl10, Stl10Split};
pub use dataset::ImageDataset;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use decode::decode_jpeg_part;
pub use decode::{
    decode_image, decode_image_bytes, decode_image_bytes_on, decode_image_on, decode_part_bytes_on,
    decode_part_on, misnamed,
};
pub use derived::{BeforeReading, Concat, Subset};
#[cfg(feature = "download")]
pub use download::{
    DownloadError, DownloadProgress, DownloadStage, HubAddress, HubRefusal, HubToken, KnownWeights,
    PublishedWeights, WeightAddress, WeightCache, known_weights,
};
pub use error::DataError;
pub use escaped_name::{escape_name, unescape_name};
pub use image_folder::ImageFolder;
pub use opening::{DataIndex, ListingProgress, Opening};
pub use part::{ImagePart, PartialImage, Resolution};
pub use printable::printable;
pub use sample::{Sample, SampleConfig};
#[cfg(feature = "parquet")]
pub use shards::ParquetImages;
pub use shards::{PackConfig, PackError, PackFormat, PackProgress, Packed, Shards, pack};
pub use simclr_files::replace_file;
pub use sorting::{
    LabelTable, LabelledName, SortAction, SortConfig, SortError, SortPlan, SortStep, Sorted,
};
pub use splits::{Labelled, Splits, WholeSet};

/// The example of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
