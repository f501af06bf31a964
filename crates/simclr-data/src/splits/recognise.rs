//! What a folder holds.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::found::Found;
use crate::{
    Cifar10, Cifar10Split, DataError, ImageDataset, ImageFolder, Stl10, Stl10Split,
    image_folder::Listing,
};

/// How many folders that hold nothing but one other folder may lie around the data.
const MAX_NESTING: usize = 3;

/// The parts of the data set in `dir`, or in the one folder inside it.
pub(super) fn recognise(dir: &Path) -> Result<Found, DataError> {
    let mut dir = dir.to_owned();
    for _ in 0..MAX_NESTING {
        if let Some(found) = stl10(&dir)?.or(cifar10(&dir)?) {
            return Ok(found);
        }
        let listing = Listing::of(&dir)?;
        match (listing.images.is_empty(), listing.folders.as_slice()) {
            (true, [only]) => dir.clone_from(only),
            _ => break,
        }
    }
    folders(&dir)
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

/// An image folder, with or without sub-folders for splits.
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
    // A folder `train` beside `car` and `ship` is the class of trains.
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
