//! What a folder holds.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    found::{Found, NamedSet},
    of_shards::of_shards,
    split_folders::SplitFolders,
};
use crate::{
    Cifar10, Cifar10Split, DataError, DataIndex, ImageDataset, ImageFolder, Opening, Stl10,
    Stl10Split,
    image_folder::{Folders, PassedOver, class_name},
    opening::Indexed,
    shards,
};

/// How many folders that hold nothing but one other folder may lie around the data.
const MAX_NESTING: usize = 3;

/// The parts of the data set at `root`: in this folder, in the one folder inside it, or in the shards that it names.
pub(super) fn recognise(root: &Path, opening: &Opening) -> Result<Found, DataError> {
    if let Some(files) = shards::named_by(root)? {
        return of_shards(files, opening);
    }
    let listed = Arc::new(Folders::new(root, opening));
    let mut dir = root.to_owned();
    let mut nesting = 0;
    loop {
        if let Some(found) = stl10(&dir)?.or(cifar10(&dir)?) {
            return Ok(found);
        }
        if nesting == 0 {
            listed.list_all(&dir);
        }
        let listing = listed.listing(&dir)?;
        let holding = listed.holding_images(&listing.folders);
        if listing.images.is_empty() && holding.is_empty() {
            let files = shards::in_folder(&listing)?;
            if !files.is_empty() {
                return of_shards(files, opening);
            }
        }
        match (listing.images.is_empty(), holding.as_slice(), listing.folders.as_slice()) {
            // The second: of binaries, perhaps.
            (true, [only], _) | (true, [], [only]) if nesting < MAX_NESTING => dir.clone_from(only),
            _ => return folders([root, &dir], holding, &listed, opening.ground),
        }
        nesting += 1;
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
    let tests = test.map(|test| ("test".to_owned(), test)).into_iter().collect();
    Ok(Some(Found { kind: "STL-10", train, tests, unlabelled, warnings: Vec::new(), index: None }))
}

/// CIFAR-10, if one of its files is in `dir`.
fn cifar10(dir: &Path) -> Result<Option<Found>, DataError> {
    let has = |split: Cifar10Split| split.files().iter().any(|name| dir.join(name).exists());
    if !has(Cifar10Split::Train) && !has(Cifar10Split::Test) {
        return Ok(None);
    }
    let train: Arc<dyn ImageDataset> = Arc::new(Cifar10::open(dir, Cifar10Split::Train)?);
    let mut tests: Vec<NamedSet> = Vec::new();
    if has(Cifar10Split::Test) {
        tests.push(("test".to_owned(), Arc::new(Cifar10::open(dir, Cifar10Split::Test)?)));
    }
    let (kind, train, warnings) = ("CIFAR-10", Some(train), Vec::new());
    Ok(Some(Found { kind, train, tests, unlabelled: None, warnings, index: None }))
}

/// The image folder `dir`, with or without sub-folders for splits, whose images are named by their paths below `root`. Images
/// lie in the sub-folders `holding`.
fn folders(
    [root, dir]: [&Path; 2],
    holding: Vec<PathBuf>,
    listed: &Arc<Folders>,
    ground: [u8; 3],
) -> Result<Found, DataError> {
    let images = listed.listing(dir)?.images.len();
    let SplitFolders { train, unlabelled, test, mut warnings } =
        SplitFolders::of(holding, images, listed)?;
    let mut passed_over = PassedOver::default();
    let mut open = |path: &PathBuf| -> Result<Arc<dyn ImageDataset>, DataError> {
        let folder = ImageFolder::open_inside(root, path, &[], listed, ground)?;
        passed_over.merge(folder.passed_over());
        Ok(Arc::new(folder))
    };
    let splits: Vec<_> = test.iter().chain(&unlabelled).cloned().collect();
    let kind = if train.is_none() && splits.is_empty() { "image folder" } else { "image folders" };
    let mut tests = Vec::new();
    for path in &test {
        tests.push((class_name(path), open(path)?));
    }
    let unlabelled = unlabelled.as_ref().map(&mut open).transpose()?;
    let train = match &train {
        Some(path) => Some(open(path)?),
        // The classes lie beside the splits, if they have classes beside them at all.
        None => match ImageFolder::open_inside(root, dir, &splits, listed, ground) {
            Ok(classes) => {
                passed_over.merge(classes.passed_over());
                Some(Arc::new(classes) as Arc<dyn ImageDataset>)
            }
            Err(DataError::NoImages { .. }) if unlabelled.is_some() => None,
            Err(error) => return Err(error),
        },
    };
    warnings.extend(listed.warning());
    warnings.extend(passed_over.warnings());
    let index = listed.are_new().then(|| DataIndex(Indexed::Folders(Arc::clone(listed))));
    Ok(Found { kind, train, tests, unlabelled, warnings, index })
}
