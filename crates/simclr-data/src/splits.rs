//! What to pretrain on and what to evaluate on.

mod aligned;
mod found;
mod hold_out;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use self::found::Found;
use crate::{
    Cifar10, Cifar10Split, DataError, ImageDataset, ImageFolder, Sample, SampleConfig, Stl10,
    Stl10Split, image_folder::Listing,
};

/// How many folders with nothing but one other folder in them are passed through on the way to the data.
const MAX_NESTING: usize = 3;

/// The images to pretrain on and, if there are labels, those to evaluate on.
///
/// The images that are asked about in the evaluation are never among those to pretrain on.
///
/// ```
/// use simclr_data::{ImageDataset, SampleConfig, Splits};
///
/// let splits = Splits::sample(&SampleConfig { images: 1000, ..SampleConfig::default() })?;
/// assert_eq!(splits.pretrain.len(), 1000);
/// assert_eq!(splits.labelled.unwrap().test.len(), 200);
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Clone)]
pub struct Splits {
    /// Images to pretrain on. Their labels, if they have any, are not for pretraining.
    pub pretrain: Arc<dyn ImageDataset>,
    /// Images to evaluate on; `None` without labels.
    pub labelled: Option<Labelled>,
    /// One line for people: what was found and how it is used.
    pub description: String,
}

/// Labelled images for the evaluation. Both sets have the same classes and no image without a label.
#[derive(Clone)]
pub struct Labelled {
    /// Examples to learn from: they vote in a nearest-neighbour classifier, or train a linear probe.
    pub train: Arc<dyn ImageDataset>,
    /// Images to be classified.
    pub test: Arc<dyn ImageDataset>,
}

impl Splits {
    /// Opens the data in the folder `dir`, whose content tells what it is:
    ///
    /// | content | pretraining | train | test |
    /// |---|---|---|---|
    /// | STL-10 (`train_X.bin`, `unlabeled_X.bin`) | unlabelled and training split | training split | test split |
    /// | CIFAR-10 (`data_batch_1.bin`) | training split | training split | test split |
    /// | image folders `train`, `test`, `validation`, `unlabeled` | unlabelled and training images | training images | test images, else validation images |
    /// | class folders | images not held out | images not held out | held out |
    /// | images only | all | | |
    ///
    /// Where there is no test split, every fifth image of each class is held out as a query, and is left out of
    /// pretraining too. A folder in which there is nothing but one other folder stands for that one, as archives like
    /// to unpack so. Split folders may also be called `training`, `val` and `unlabelled`, in any case.
    ///
    /// # Errors
    ///
    /// The errors of [`Stl10::open`], [`Cifar10::open`] and [`ImageFolder::open`], and [`DataError::UnknownClass`] if
    /// there are test of a class that the training set lacks.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        let mut dir = dir.as_ref().to_owned();
        for _ in 0..MAX_NESTING {
            if let Some(found) = stl10(&dir)?.or(cifar10(&dir)?) {
                return found.assemble();
            }
            let listing = Listing::of(&dir)?;
            match (listing.images.is_empty(), listing.folders.as_slice()) {
                (true, [only]) => dir.clone_from(only),
                _ => break,
            }
        }
        folders(&dir)?.assemble()
    }

    /// The built-in [`Sample`]: `config.images` pictures to pretrain on, which are also the training set, and a fifth as many
    /// further ones as test (rounded up to whole tens, so that the classes are balanced).
    ///
    /// # Errors
    ///
    /// The errors of [`Sample::new`].
    pub fn sample(config: &SampleConfig) -> Result<Self, DataError> {
        let sample = Sample::new(config.clone())?;
        let test = sample.following(config.images.div_ceil(5).next_multiple_of(10));
        let found = Found {
            kind: "the built-in sample",
            train: Some(Arc::new(sample)),
            test: Some(Arc::new(test)),
            unlabelled: None,
        };
        found.assemble()
    }
}

/// STL-10, if one of its image files is in `dir`.
fn stl10(dir: &Path) -> Result<Option<Found>, DataError> {
    let open = |split: Stl10Split| -> Result<Option<Arc<dyn ImageDataset>>, DataError> {
        if !dir.join(split.images_file()).exists() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Stl10::open(dir, split)?)))
    };
    let (train, test, unlabelled) =
        (open(Stl10Split::Train)?, open(Stl10Split::Test)?, open(Stl10Split::Unlabeled)?);
    if train.is_none() && test.is_none() && unlabelled.is_none() {
        return Ok(None);
    }
    if train.is_none() && unlabelled.is_none() {
        let path = dir.join(Stl10Split::Train.images_file());
        return Err(DataError::Missing { path, expected: "images of STL-10 to train on" });
    }
    Ok(Some(Found { kind: "STL-10", train, test, unlabelled }))
}

/// CIFAR-10, if one of its files is in `dir`.
fn cifar10(dir: &Path) -> Result<Option<Found>, DataError> {
    let has = |split: Cifar10Split| split.files().iter().any(|name| dir.join(name).exists());
    if !has(Cifar10Split::Train) && !has(Cifar10Split::Test) {
        return Ok(None);
    }
    let train: Arc<dyn ImageDataset> = Arc::new(Cifar10::open(dir, Cifar10Split::Train)?);
    let mut test: Option<Arc<dyn ImageDataset>> = None;
    if has(Cifar10Split::Test) {
        test = Some(Arc::new(Cifar10::open(dir, Cifar10Split::Test)?));
    }
    Ok(Some(Found { kind: "CIFAR-10", train: Some(train), test, unlabelled: None }))
}

/// An image folder, with sub-folders for splits or without.
fn folders(dir: &Path) -> Result<Found, DataError> {
    let subfolders = Listing::of(dir)?.folders;
    let called = |names: &[&str]| {
        let is_called = |path: &&PathBuf| {
            path.file_name()
                .is_some_and(|found| names.iter().any(|name| found.eq_ignore_ascii_case(name)))
        };
        subfolders.iter().find(is_called)
    };
    let (train, unlabelled) =
        (called(&["train", "training"]), called(&["unlabeled", "unlabelled"]));
    let (test, validation) = (called(&["test"]), called(&["validation", "val"]));
    let splits = [train, unlabelled, test, validation].iter().flatten().count();
    // A folder `train` beside `car` and `ship` holds trains.
    let has_splits = splits >= 2 || splits == subfolders.len();
    if !has_splits || (train.is_none() && unlabelled.is_none()) {
        let train: Arc<dyn ImageDataset> = Arc::new(ImageFolder::open(dir)?);
        return Ok(Found {
            kind: "image folder",
            train: Some(train),
            test: None,
            unlabelled: None,
        });
    }
    let open = |path: Option<&PathBuf>| -> Result<Option<Arc<dyn ImageDataset>>, DataError> {
        let Some(path) = path else { return Ok(None) };
        Ok(Some(Arc::new(ImageFolder::open_inside(dir, path)?)))
    };
    let test = open(test.or(validation))?;
    Ok(Found { kind: "image folders", train: open(train)?, test, unlabelled: open(unlabelled)? })
}

#[cfg(test)]
mod tests;
