//! From a folder, shards, or the built-in sample, to splits.

use std::{path::Path, sync::Arc};

use super::{Splits, found::Found, hold_out::test_images_for, recognise};
use crate::{DataError, Opening, Sample, SampleConfig};

/// Pictures of the built-in sample if the caller gives no number: what a CPU trains on in minutes.
const SAMPLE_IMAGES: usize = 2000;

impl Splits {
    /// Opens the data at `dir`: a folder, whose content tells what it is, or what [`Shards::open`](crate::Shards::open)
    /// takes, a tar archive or a pattern for the names of several.
    ///
    /// | content | pretraining | training set | test set |
    /// |---|---|---|---|
    /// | STL-10 (`train_X.bin`, `unlabeled_X.bin`) | unlabelled and training split | training split | test split |
    /// | CIFAR-10 (`data_batch_1.bin`) | training split | training split | test split |
    /// | image folders `train`, `test`, `validation`, `unlabeled` | `unlabeled` and `train` | `train` | `test`, else `validation` |
    /// | class folders, perhaps with `unlabeled` or a test set beside | `unlabeled` and images that are not held out | labelled images that are not held out | held-out images |
    /// | images only | all | | |
    /// | tar [`Shards`](crate::Shards), here or in folders directly inside, or a packed file | as above, by the names of shards and of folders inside them | | |
    ///
    /// Without a test split, every fifth image of each class is held out: it belongs to the test set alone. If a folder
    /// holds one other folder with data and nothing else, as unpacked archives often do, the inner folder is opened.
    ///
    /// Splits are known by all usual names, in any case: `train`, `training`; `test`, `testing`; `val`, `valid`,
    /// `validation`, `dev`; `unlabeled`, `unlabelled`, `extra`; with `set`, `images` or a number beside
    /// (`train_images`, `val2017`), or with a word that the splits share (`seg_train`, `seg_test`). `training/training`
    /// is the inner one. Folders without images, hidden ones and those that a system makes (`__MACOSX`) count for nothing.
    /// What was guessed or left out is in [`warnings`](Self::warnings).
    ///
    /// Classes of the test set are matched by name. Those that the training set lacks are left out of the test set,
    /// with a warning; if it then has no image left, the next split (`validation`) or a held-out set stands in.
    ///
    /// # Errors
    ///
    /// The errors of [`Stl10::open`](crate::Stl10::open), [`Cifar10::open`](crate::Cifar10::open) and
    /// [`ImageFolder::open`](crate::ImageFolder::open).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_on(dir, crate::decode::WHITE)
    }

    /// Like [`open`](Self::open), with what is transparent in image files on `ground`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(dir: impl AsRef<Path>, ground: [u8; 3]) -> Result<Self, DataError> {
        Self::open_with(dir, &Opening { ground, ..Opening::default() })
    }

    /// Like [`open`](Self::open), with an index file or another ground.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, opening: &Opening) -> Result<Self, DataError> {
        recognise::recognise(path.as_ref(), opening)?.assemble()
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
            tests: vec![("test".to_owned(), Arc::new(test))],
            unlabelled: None,
            warnings: Vec::new(),
            index: None,
        };
        found.assemble()
    }

    /// The data at `path`, [limited to](Self::limited_to) `images` if that is given; without a path, the built-in
    /// [sample](Self::sample) of so many pictures, or of 2,000. It opens the optional `--data` of a command.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open), [`limited_to`](Self::limited_to) and [`sample`](Self::sample).
    ///
    /// ```
    /// use std::path::PathBuf;
    ///
    /// use simclr_data::{ImageDataset, Opening, Splits};
    ///
    /// let no_folder: Option<PathBuf> = None;
    /// let splits = Splits::open_or_sample(no_folder, Some(300), &Opening::default())?;
    /// assert_eq!(splits.pretrain.len(), 300);
    /// # Ok::<(), simclr_data::DataError>(())
    /// ```
    pub fn open_or_sample(
        path: Option<impl AsRef<Path>>,
        images: Option<usize>,
        opening: &Opening,
    ) -> Result<Self, DataError> {
        match (path, images) {
            (Some(path), None) => Self::open_with(path, opening),
            (Some(path), Some(images)) => Self::open_with(path, opening)?.limited_to(images),
            (None, images) => {
                let images = images.unwrap_or(SAMPLE_IMAGES);
                Self::sample(&SampleConfig { images, ..SampleConfig::default() })
            }
        }
    }
}
