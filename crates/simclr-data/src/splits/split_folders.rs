//! Which folders inside a folder are splits of a data set, and which are classes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::split_name::{Split, SplitName};
use crate::{
    DataError,
    image_folder::{Folders, class_name},
    printable,
};

/// What the sub-folders of a folder are.
#[derive(Default)]
pub(super) struct SplitFolders {
    /// `None` if the classes lie directly in the folder.
    pub(super) train: Option<PathBuf>,
    pub(super) unlabelled: Option<PathBuf>,
    /// Folders that may serve as the test set, the best first.
    pub(super) test: Vec<PathBuf>,
    /// What was guessed or left out.
    pub(super) warnings: Vec<String>,
}

/// A folder that is called after a split.
type Named = (Split, PathBuf);

impl SplitFolders {
    /// Goes by the names of the sub-folders that hold images. `images` lie beside them.
    pub(super) fn of(
        folders: Vec<PathBuf>,
        images: usize,
        listed: &Folders,
    ) -> Result<Self, DataError> {
        let (splits, others) = divide(folders);
        let mut found = Self::default();
        if !are_splits(&splits, &others, listed) {
            found.add_beside_classes(splits, &others, listed)?;
            return Ok(found);
        }
        for (split, path) in splits {
            found.add(split, innermost(path, split, listed)?);
        }
        found.warnings.extend(others.iter().map(|path| left_out(path)));
        if images > 0 {
            found.warnings.push(format!("{images} images beside the split folders are left out"));
        }
        Ok(found)
    }

    /// Takes a folder for its split; a second folder of that split is left out.
    fn add(&mut self, split: Split, path: PathBuf) {
        let place = match split {
            Split::Train => &mut self.train,
            Split::Unlabelled => &mut self.unlabelled,
            Split::Test | Split::Validation => return self.test.push(path),
        };
        if place.is_none() {
            *place = Some(path);
        } else {
            self.warnings.push(left_out(&path));
        }
    }

    /// Folders called after splits that lie beside class folders: `unlabeled` is no class, nor is a test set of the same
    /// classes. Any other is a class, such as that of trains.
    fn add_beside_classes(
        &mut self,
        splits: Vec<Named>,
        classes: &[PathBuf],
        listed: &Folders,
    ) -> Result<(), DataError> {
        let names: BTreeSet<String> = classes.iter().map(|path| class_name(path)).collect();
        for (split, path) in splits {
            let is_split = match split {
                Split::Train => false,
                Split::Unlabelled => !names.is_empty() && !class_name(&path).starts_with("extra"),
                Split::Test | Split::Validation => {
                    let inside = listed.listing(&path)?;
                    inside.folders.iter().any(|folder| names.contains(&class_name(folder)))
                }
            };
            if is_split {
                self.add(split, path);
            } else {
                let name = printable(&class_name(&path));
                self.warnings.push(format!("the folder `{name}` is taken as a class"));
            }
        }
        Ok(())
    }
}

/// Those of the folders in an archive that are splits, by their names alone: a training set, and nothing else but other
/// splits or left-overs; or what is without labels, alone.
pub(crate) fn split_folders(folders: Vec<PathBuf>) -> Vec<String> {
    let (splits, others) = divide(folders);
    let kinds: BTreeSet<Split> = splits.iter().map(|(split, _)| *split).collect();
    let alone = others.is_empty();
    let are_splits = kinds.contains(&Split::Train) && (kinds.len() > 1 || alone)
        || kinds.contains(&Split::Unlabelled) && alone;
    if !are_splits {
        return Vec::new();
    }
    splits.into_iter().map(|(_, path)| path.to_string_lossy().into_owned()).collect()
}

/// The folders that are called after splits of one data set, training set and test set first, and the other folders.
fn divide(folders: Vec<PathBuf>) -> (Vec<Named>, Vec<PathBuf>) {
    let name = |path: &PathBuf| SplitName::of(&class_name(path));
    let mut groups: BTreeMap<String, BTreeSet<Split>> = BTreeMap::new();
    for SplitName { split, rest } in folders.iter().filter_map(name) {
        groups.entry(rest).or_default().insert(split);
    }
    // `tube` of `test tube` alone is no data set's name.
    groups.retain(|rest, splits| rest.is_empty() || splits.len() > 1);
    let mut largest: Option<(String, usize)> = None;
    for (rest, splits) in groups {
        if largest.as_ref().is_none_or(|(_, most)| splits.len() > *most) {
            largest = Some((rest, splits.len()));
        }
    }
    let (mut splits, mut others) = (Vec::new(), Vec::new());
    for path in folders {
        match name(&path) {
            Some(SplitName { split, rest })
                if largest.as_ref().is_some_and(|(group, _)| *group == rest) =>
            {
                splits.push((split, path));
            }
            _ => others.push(path),
        }
    }
    splits.sort();
    (splits, others)
}

/// Whether folders called after splits are that, rather than classes among `others`.
fn are_splits(splits: &[Named], others: &[PathBuf], listed: &Folders) -> bool {
    let has = |wanted| splits.iter().any(|(split, _)| *split == wanted);
    if !has(Split::Train) {
        return has(Split::Unlabelled) && others.is_empty();
    }
    let kinds: BTreeSet<Split> = splits.iter().map(|(split, _)| *split).collect();
    if kinds.len() > 1 || others.is_empty() {
        return true;
    }
    // `train` alone, with classes, beside folders without: beside `car` and `ship` it is the class of trains.
    let has_classes = |path: &PathBuf| {
        let inside = listed.listing(path);
        inside.is_ok_and(|inside| !listed.holding_images(&inside.folders).is_empty())
    };
    splits.iter().any(|(_, path)| has_classes(path)) && !others.iter().any(has_classes)
}

/// The folder at the end of folders that hold nothing but one of the same split, as in `training/training`.
fn innermost(mut path: PathBuf, split: Split, listed: &Folders) -> Result<PathBuf, DataError> {
    loop {
        let listing = listed.listing(&path)?;
        match listed.holding_images(&listing.folders).as_slice() {
            [only]
                if listing.images.is_empty()
                    && SplitName::of(&class_name(only)).is_some_and(|name| name.split == split) =>
            {
                path.clone_from(only);
            }
            _ => return Ok(path),
        }
    }
}

fn left_out(path: &Path) -> String {
    format!("the folder `{}` is left out", printable(&class_name(path)))
}
