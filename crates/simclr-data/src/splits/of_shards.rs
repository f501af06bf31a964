//! The splits of a data set in shards.

use std::sync::Arc;

use super::{
    found::Found,
    split_name::{Split, SplitName},
};
use crate::{
    DataError, DataIndex, ImageDataset, Opening, Shards, Subset, derived::with_own_classes,
    opening::Indexed, printable, shards::ShardFile,
};

/// Opens shards, and divides their images by what the names of shards, the folders inside them or their packer say.
pub(super) fn of_shards(files: Vec<ShardFile>, opening: &Opening) -> Result<Found, DataError> {
    let single = files.len() == 1;
    let shards = Shards::of(files, opening)?;
    let mut warnings = shards.warnings();
    let index = (!shards.is_from_index()).then(|| DataIndex(Indexed::Shards(shards.clone())));
    let names = shards.split_names().to_vec();
    let mut indices = vec![Vec::new(); names.len()];
    let mut undivided = Vec::new();
    for (index, split) in shards.splits().enumerate() {
        split.map_or(&mut undivided, |split| &mut indices[split]).push(index);
    }
    let len = shards.len();
    let all: Arc<dyn ImageDataset> = Arc::new(shards);
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
    let kind = if single { "tar archive" } else { "tar shards" };
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
