//! Images to learn from, with labels to find out what was learned.
//!
//! Everything that can be pretrained on is an [`ImageDataset`]: indexed images, maybe with labels. An image is an
//! [`image::RgbImage`], 8 bits per channel; an index stands for the same image each time, so a training run that is
//! keyed by index can be repeated and resumed.
//!
//! # Without any data
//!
//! [`Sample`] draws its pictures itself: shapes of ten classes, in which everything but the shape is left to chance.
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
//! | type | reads | labels |
//! |---|---|---|
//! | [`Stl10`] | STL-10's binary files, memory-mapped | train and test |
//! | [`Cifar10`] | CIFAR-10's binary files, memory-mapped | all |
//! | [`ImageFolder`] | JPEG, PNG and WebP files | names of sub-folders |
//!
//! [`Subset`] picks images out of a set and [`Concat`] puts sets together. [`Splits::open`] looks at what a folder
//! holds and says what to pretrain on and what to evaluate on; the images that it evaluates on are never among those
//! it pretrains on.
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
//! # Files that are not what they seem
//!
//! Whatever is wrong with a file is a [`DataError`] that names it, says what was expected and what was found: nothing
//! panics and nothing is allocated on a header's word alone. Binary files are checked when they are opened. Image files
//! are opened one by one when they are needed; an image that cannot be decoded is an error that
//! [`is_one_image`](DataError::is_one_image) tells from the others, so that a run may leave it out and go on.
//!
//! # Unsafe code
//!
//! Mapping a file into memory is `unsafe` in Rust, since another process may change the file. One function does it;
//! the rest of the crate is safe code.
//!
//! # Features
//!
//! `download` (on by default) adds `Stl10::download` and `Cifar10::download`, which fetch the official archives, and with
//! them an HTTP client.

mod cifar10;
mod concat;
mod dataset;
mod decode;
#[cfg(feature = "download")]
mod download;
mod error;
mod image_folder;
mod mapped_file;
mod planes;
mod printable;
mod replace_file;
mod sample;
mod splits;
mod stl10;
mod subset;
mod text_file;

pub use cifar10::{Cifar10, Cifar10Split};
pub use concat::Concat;
pub use dataset::ImageDataset;
pub use decode::{decode_image, decode_image_bytes};
#[cfg(feature = "download")]
pub use download::{DownloadError, DownloadProgress, DownloadStage};
pub use error::DataError;
pub use image_folder::ImageFolder;
pub use printable::printable;
pub use replace_file::replace_file;
pub use sample::{Sample, SampleConfig};
pub use splits::{Labelled, Splits};
pub use stl10::{Stl10, Stl10Split};
pub use subset::Subset;
