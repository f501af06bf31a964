//! From a folder, or the built-in sample, to splits.

use std::{path::Path, sync::Arc};

use super::{Splits, found::Found, hold_out::test_images_for, recognise};
use crate::{DataError, Sample, SampleConfig};

/// Pictures of the built-in sample if the caller gives no number: what a CPU trains on in minutes.
const SAMPLE_IMAGES: usize = 2000;

impl Splits {
    /// Opens the data in the folder `dir`, whose content tells what it is:
    ///
    /// | content | pretraining | training set | test set |
    /// |---|---|---|---|
    /// | STL-10 (`train_X.bin`, `unlabeled_X.bin`) | unlabelled and training split | training split | test split |
    /// | CIFAR-10 (`data_batch_1.bin`) | training split | training split | test split |
    /// | image folders `train`, `test`, `validation`, `unlabeled` | `unlabeled` and `train` | `train` | `test`, else `validation` |
    /// | class folders | images that are not held out | labelled images that are not held out | held-out images |
    /// | images only | all | | |
    ///
    /// Without a test split, every fifth image of each class is held out: it belongs to the test set alone. If a folder
    /// holds one other folder and nothing else, as unpacked archives often do, the inner folder is opened. Split
    /// folders may also be called `training`, `val` and `unlabelled`; case does not matter.
    ///
    /// # Errors
    ///
    /// The errors of [`Stl10::open`](crate::Stl10::open), [`Cifar10::open`](crate::Cifar10::open) and
    /// [`ImageFolder::open`](crate::ImageFolder::open); [`DataError::UnknownClass`] if the test set has a class that
    /// the training set lacks.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        recognise::recognise(dir.as_ref())?.assemble()
    }

    /// The built-in [`Sample`]: `config.images` pictures to pretrain on, which are also the training set, and a fifth
    /// as many further ones as the test set (rounded up to whole tens, so that the classes are balanced).
    ///
    /// # Errors
    ///
    /// The errors of [`Sample::new`].
    pub fn sample(config: &SampleConfig) -> Result<Self, DataError> {
        let sample = Sample::new(config.clone())?;
        let test = sample.following(test_images_for(config.images).next_multiple_of(10));
        let found = Found {
            kind: "the built-in sample",
            train: Some(Arc::new(sample)),
            test: Some(Arc::new(test)),
            unlabelled: None,
        };
        found.assemble()
    }

    /// The data in the folder `dir`, [limited to](Self::limited_to) `images` if that is given; without a folder, the
    /// built-in [sample](Self::sample) of so many pictures, or of 2,000. It opens the optional `--data` of a command.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), [`limited_to`](Self::limited_to) and [`sample`](Self::sample).
    ///
    /// ```
    /// use std::path::PathBuf;
    ///
    /// use simclr_data::{ImageDataset, Splits};
    ///
    /// let no_folder: Option<PathBuf> = None;
    /// assert_eq!(Splits::open_or_sample(no_folder, Some(300))?.pretrain.len(), 300);
    /// # Ok::<(), simclr_data::DataError>(())
    /// ```
    pub fn open_or_sample(
        dir: Option<impl AsRef<Path>>,
        images: Option<usize>,
    ) -> Result<Self, DataError> {
        match (dir, images) {
            (Some(dir), None) => Self::open(dir),
            (Some(dir), Some(images)) => Self::open(dir)?.limited_to(images),
            (None, images) => {
                let images = images.unwrap_or(SAMPLE_IMAGES);
                Self::sample(&SampleConfig { images, ..SampleConfig::default() })
            }
        }
    }
}
