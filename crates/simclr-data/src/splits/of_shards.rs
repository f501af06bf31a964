//! The splits of a data set in shards.

use std::sync::Arc;

use super::{
    found::Found,
    split_name::{Split, SplitName},
};
use crate::{
    DataError, DataIndex, ImageDataset, Opening, Shards, Subset,
    derived::with_own_classes,
    opening::Indexed,
    printable,
    shards::{ShardFile, ShardKind},
};

/// Opens shards, and divides their images by what the names of shards, the folders inside them or their packer say.
pub(super) fn of_shards(files: Vec<ShardFile>, opening: &Opening) -> Result<Found, DataError> {
    let single = files.len() == 1;
    match ShardKind::of(&files) {
        ShardKind::Parquet => of_parquet(&files, opening),
        ShardKind::Tar => {
            let shards = Shards::of(files, opening)?;
            let index =
                (!shards.is_from_index()).then(|| DataIndex(Indexed::Shards(shards.clone())));
            let divided = Divided {
                kind: if single { "tar archive" } else { "tar shards" },
                names: shards.split_names().to_vec(),
                splits: shards.splits().collect(),
                warnings: shards.warnings(),
                index,
                all: Arc::new(shards),
            };
            divided.found()
        }
    }
}

/// Opens Parquet files, and divides their images by what the files, or their folders, are called.
#[cfg(feature = "parquet")]
fn of_parquet(files: &[ShardFile], opening: &Opening) -> Result<Found, DataError> {
    let images = crate::ParquetImages::of(files, opening)?;
    let mut names: Vec<String> = Vec::new();
    let mut splits = Vec::with_capacity(images.len());
    for (file, len) in files.iter().zip(images.lens()) {
        let split = file.split.map(|split| {
            let known = names.iter().position(|name| name == split.name());
            known.unwrap_or_else(|| {
                names.push(split.name().to_owned());
                names.len() - 1
            })
        });
        splits.extend(std::iter::repeat_n(split, len));
    }
    let divided = Divided {
        kind: if files.len() == 1 { "Parquet file" } else { "Parquet files" },
        names,
        splits,
        warnings: images.warnings().to_vec(),
        index: None,
        all: Arc::new(images),
    };
    divided.found()
}

#[cfg(not(feature = "parquet"))]
fn of_parquet(files: &[ShardFile], _: &Opening) -> Result<Found, DataError> {
    Err(DataError::NoParquet {
        path: files.first().map(|file| file.path.clone()).unwrap_or_default(),
    })
}

/// Images of which most are in a split.
struct Divided {
    /// What the data set is, for people.
    kind: &'static str,
    all: Arc<dyn ImageDataset>,
    names: Vec<String>,
    /// The split of each image, an index into `names`.
    splits: Vec<Option<usize>>,
    warnings: Vec<String>,
    index: Option<DataIndex>,
}

impl Divided {
    fn found(self) -> Result<Found, DataError> {
        let Self { kind, all, names, splits, mut warnings, index } = self;
        let mut indices = vec![Vec::new(); names.len()];
        let mut undivided = Vec::new();
        for (index, split) in splits.into_iter().enumerate() {
            split.map_or(&mut undivided, |split| &mut indices[split]).push(index);
        }
        let len = all.len();
        let part = |indices: Vec<usize>| -> Result<Arc<dyn ImageDataset>, DataError> {
            let is_all = indices.len() == len;
            let part = if is_all {
                Arc::clone(&all)
            } else {
                Arc::new(Subset::new(Arc::clone(&all), indices)?)
            };
            Ok(with_own_classes(part))
        };
        let split = |name: &String| SplitName::of(name).map_or(Split::Test, |name| name.split);
        let to_learn_from = |name| matches!(split(name), Split::Train | Split::Unlabelled);
        if !names.iter().any(to_learn_from) {
            // A test set alone is what there is.
            let train = Some(part((0..len).collect())?);
            return Ok(Found { kind, train, tests: Vec::new(), unlabelled: None, warnings, index });
        }
        let (mut train, mut unlabelled, mut tests) = (None, None, Vec::new());
        for (name, indices) in names.into_iter().zip(indices) {
            let kind = split(&name);
            let part = part(indices)?;
            let place = match kind {
                Split::Train => &mut train,
                Split::Unlabelled => &mut unlabelled,
                Split::Test | Split::Validation => {
                    tests.push((kind, name, part));
                    continue;
                }
            };
            if place.is_none() {
                *place = Some(part);
            } else {
                warnings.push(format!("the split `{}` is left out", printable(&name)));
            }
        }
        // A test set goes before a validation set.
        tests.sort_by_key(|(kind, ..)| *kind);
        let tests = tests.into_iter().map(|(_, name, part)| (name, part)).collect();
        if !undivided.is_empty() {
            let count = undivided.len();
            warnings.push(format!("{count} images of shards that are no split are left out"));
        }
        Ok(Found { kind, train, tests, unlabelled, warnings, index })
    }
}
