//! Splits and classes, as the names of shards and the folders inside them tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use unicode_normalization::UnicodeNormalization;

use super::{
    columns::{Columns, NO_LABEL, NO_SPLIT},
    label::Label,
};
use crate::splits::{Split, SplitName, split_folders};

/// The names of classes and of splits, to which the images' numbers lead.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) class_names: Vec<String>,
    pub(super) split_names: Vec<String>,
}

/// The images of a shard, and what the shard's name or folder says that they are for.
pub(super) struct Part<'a> {
    pub(super) images: &'a mut Columns,
    pub(super) split: Option<Split>,
    /// Whether the packer has written it, which says of each image what is known of it.
    pub(super) packed: bool,
}

/// Divides images without a split by what their shards are called or, if those don't tell, by the folders that they lie in
/// within their shards.
pub(super) fn divide(parts: &mut [Part], groups: &mut Groups) {
    let mut number = |name: &str| {
        let known = groups.split_names.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            groups.split_names.push(name.to_owned());
            groups.split_names.len() - 1
        }) as u8
    };
    for part in parts.iter_mut() {
        if let Some(split) = part.split.filter(|_| !part.packed) {
            let split = number(split.name());
            part.images.splits.fill(split);
        }
    }
    let is_open = |part: &&mut Part| part.split.is_none() && !part.packed;
    let mut open: Vec<&mut Part> = parts.iter_mut().filter(is_open).collect();
    let names = || open.iter().flat_map(|part| part.images.names.iter());
    let shared = shared_folders(names());
    let folders: BTreeSet<&str> = names().filter_map(|name| first_folder(name, shared)).collect();
    // As many as there can be splits; images each in a folder of its own are no splits.
    if folders.len() >= usize::from(NO_SPLIT) {
        return;
    }
    let splits: BTreeMap<String, u8> = split_folders(folders.iter().map(PathBuf::from).collect())
        .into_iter()
        .map(|folder| (folder.clone(), number(&folder)))
        .collect();
    if splits.is_empty() {
        return;
    }
    for part in &mut open {
        let Columns { names, splits: of, .. } = &mut *part.images;
        for (name, split) in names.iter().zip(of) {
            let folder = first_folder(name, shared).and_then(|folder| splits.get(folder));
            *split = folder.copied().unwrap_or(NO_SPLIT);
        }
    }
}

/// Gives classes to images of shards whose members tell none: the folders that they lie in, below those that all images
/// share and below one that is called after a split. As in a folder of images, what lies directly there has no class.
pub(super) fn classes_by_folder(parts: &mut [Part], groups: &mut Groups) {
    let mut shared: BTreeMap<u8, Shared> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.packed) {
        for (name, &split) in part.images.names.iter().zip(&part.images.splits) {
            match shared.get_mut(&split) {
                Some(shared) => shared.meet(name),
                None => drop(shared.insert(split, Shared::of(name))),
            }
        }
    }
    let of_all = shared_folders(shared.values().map(|shared| shared.0.as_str()));
    let above: BTreeMap<u8, usize> =
        shared.iter().map(|(&split, shared)| (split, shared.above_classes(of_all))).collect();
    let class = |name: &str, split: u8| -> Option<String> {
        Some(first_folder(name, above[&split])?.nfc().collect())
    };
    let mut classes: BTreeMap<String, u32> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.packed) {
        for (name, &split) in part.images.names.iter().zip(&part.images.splits) {
            if let Some(class) = class(name, split) {
                classes.entry(class).or_default();
            }
        }
    }
    for (place, number) in classes.values_mut().enumerate() {
        *number = place as u32;
    }
    for part in parts.iter_mut().filter(|part| !part.packed) {
        let Columns { names, splits, labels, .. } = &mut *part.images;
        for ((name, &split), label) in names.iter().zip(&*splits).zip(labels) {
            *label = class(name, split).map_or(NO_LABEL, |class| classes[&class]);
        }
    }
    groups.class_names = classes.into_keys().collect();
}

/// Gives the classes that members tell numbers of the whole set. `labels` are those of each part, and those with numbers come
/// first; names follow by the alphabet, or `in_order` of their appearance.
pub(super) fn classes_by_label(
    parts: &mut [Part],
    labels: &[Vec<Label>],
    in_order: bool,
    groups: &mut Groups,
) {
    let (mut numbered, mut named) =
        (BTreeMap::<u64, Option<&String>>::new(), Vec::<&String>::new());
    let mut seen = BTreeSet::new();
    for label in labels.iter().flatten() {
        match (label.number, &label.name) {
            (Some(number), name) => {
                let known = numbered.entry(number).or_default();
                *known = known.or(name.as_ref());
            }
            (None, Some(name)) if seen.insert(name) => named.push(name),
            (None, _) => {}
        }
    }
    if !in_order {
        named.sort();
    }
    let class_names = &mut groups.class_names;
    class_names.extend(names_of(&numbered));
    let by_number: BTreeMap<u64, u32> = numbered.into_keys().zip(0..).collect();
    let mut by_name: BTreeMap<String, u32> = class_names.iter().cloned().zip(0..).collect();
    for name in named {
        // A class that one shard names, and another numbers and names, is one.
        by_name.entry(name.clone()).or_insert_with(|| {
            class_names.push(name.clone());
            class_names.len() as u32 - 1
        });
    }
    let of = |label: &Label| match (label.number, &label.name) {
        (Some(number), _) => by_number[&number],
        (None, Some(name)) => by_name[name],
        (None, None) => NO_LABEL,
    };
    for (part, labels) in parts.iter_mut().zip(labels) {
        let labels: Vec<u32> = labels.iter().map(of).collect();
        for label in part.images.labels.iter_mut().filter(|label| **label != NO_LABEL) {
            *label = labels[*label as usize];
        }
    }
}

/// What classes with numbers are called: by their names, or by their numbers. Two numbers are two classes, even of one name, such as the
/// two cranes of ImageNet.
pub(super) fn names_of(numbered: &BTreeMap<u64, Option<&String>>) -> Vec<String> {
    let mut uses: BTreeMap<&String, usize> = BTreeMap::new();
    for name in numbered.values().flatten() {
        *uses.entry(name).or_default() += 1;
    }
    let name = |number: u64, name: Option<&String>| match name {
        Some(name) if uses[name] > 1 => format!("{name} ({number})"),
        Some(name) => name.clone(),
        None => number.to_string(),
    };
    numbered.iter().map(|(&number, &of)| name(number, of)).collect()
}

/// The folders that all names begin with.
struct Shared(String);

impl Shared {
    fn of(name: &str) -> Self {
        Self(name[..name.rfind('/').map_or(0, |slash| slash + 1)].to_owned())
    }

    fn meet(&mut self, name: &str) {
        while !name.starts_with(&self.0) {
            let inner = self.0.trim_end_matches('/');
            let outer = inner.rfind('/').map_or(0, |slash| slash + 1);
            self.0.truncate(outer);
        }
    }
}

impl Shared {
    /// Bytes of the folders above the classes of a split: at least those that all splits share, and to the innermost one that
    /// is called after a split.
    fn above_classes(&self, of_all: usize) -> usize {
        let mut end = 0;
        let mut above = of_all;
        for folder in self.0.split_inclusive('/') {
            end += folder.len();
            if SplitName::of(folder).is_some() {
                above = above.max(end);
            }
        }
        above
    }
}

/// Bytes of the folders that all names begin with.
fn shared_folders<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    let mut names = names;
    let Some(mut shared) = names.next().map(Shared::of) else { return 0 };
    names.for_each(|name| shared.meet(name));
    shared.0.len()
}

/// The folder that the image of this name lies in, after the first `shared` bytes.
fn first_folder(name: &str, shared: usize) -> Option<&str> {
    name.get(shared..)?.split_once('/').map(|(folder, _)| folder)
}
