//! Where in a file an encoder's tensors are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::load_report::is_bookkeeping;
use super::published_layout::{LaidOut, Layout};
use super::stored_tensor::{StoredTensor, StoredTensors};
use crate::published_names::Naming;

/// The longest name, and the most parts of one, that is taken for an encoder's tensor.
const MOST_NAME_BYTES: usize = 1024;
const MOST_PARTS: usize = 64;

/// A naming and a prefix under which a file has some of an encoder's tensors, or all.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) layout: &'a Layout,
    pub(super) prefix: &'a str,
    /// The encoder's tensors that the file has under these names, and of which the shapes are right, too.
    named: usize,
    pub(super) fitting: usize,
    /// The file's tensors that only another network of the encoder's kind has, such as further blocks.
    pub(super) surplus: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// Every place that has at least one tensor with a name of the encoder's.
    ///
    /// A prefix is whatever comes before such a name. The time grows with the length of the file's names alone.
    pub(super) fn all(layouts: &'a [Layout], file: &'a StoredTensors) -> Vec<Self> {
        let indices: Vec<HashMap<&str, &LaidOut>> = layouts.iter().map(index_of).collect();
        let mut places: BTreeMap<(usize, &str), Self> = BTreeMap::new();
        for (name, stored) in file {
            for start in starts(name) {
                let (prefix, rest) = name.split_at(start);
                for (at, (layout, index)) in layouts.iter().zip(&indices).enumerate() {
                    let Some(tensor) = index.get(rest) else { continue };
                    let new = Self { layout, prefix, named: 0, fitting: 0, surplus: Vec::new() };
                    let place = places.entry((at, prefix)).or_insert(new);
                    place.named += 1;
                    place.fitting += usize::from(tensor.fits(stored.shape()));
                }
            }
        }
        places.into_values().collect()
    }

    /// The places that have all of the encoder's tensors and nothing of a larger network. If some hold the very same
    /// values, since the file's network has a layer under two names, one of them stands for all.
    pub(super) fn complete(mut places: Vec<Self>, file: &'a StoredTensors) -> Vec<Self> {
        places.retain(Self::has_all);
        for place in &mut places {
            place.find_surplus(file);
        }
        places.retain(|place| place.surplus.is_empty());
        let mut known = HashSet::new();
        places.retain(|place| known.insert(place.stored(file)));
        places
    }

    /// Whether all of the encoder's tensors are there. There may be more.
    pub(super) fn has_all(&self) -> bool {
        self.fitting == self.layout.tensors().count()
    }

    /// The place that has the most names of the encoder's tensors, and of such the most shapes.
    pub(super) fn nearest(places: Vec<Self>, file: &'a StoredTensors) -> Option<Self> {
        // Of equals the first has the more usual naming.
        let key = |place: &Self| Reverse((place.named, place.fitting, Reverse(place.prefix.len())));
        let mut nearest = places.into_iter().min_by_key(key)?;
        nearest.find_surplus(file);
        Some(nearest)
    }

    /// The file's tensors for the encoder's.
    fn stored(&self, file: &'a StoredTensors) -> Vec<Option<&'a StoredTensor>> {
        let name = |name: &str| format!("{}{name}", self.prefix);
        self.layout.tensors().map(|tensor| file.get(&name(&tensor.name))).collect()
    }

    /// Finds the tensors below the prefix that are named as parts of the encoder, and that it doesn't have.
    fn find_surplus(&mut self, file: &'a StoredTensors) {
        let names: HashSet<&str> =
            self.layout.tensors().map(|tensor| tensor.name.as_str()).collect();
        let parts: HashSet<&str> = names.iter().map(|name| first_part(name)).collect();
        // In torchvision's MLP every number is a layer; in a numbered ResNet higher ones are a head's.
        let is_layer = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_mlp = !matches!(self.layout.naming, Naming::Sequential { .. })
            && parts.iter().all(|part| is_layer(part));
        let below = file.keys().filter_map(|name| Some((name, name.strip_prefix(self.prefix)?)));
        self.surplus = below
            .filter(|(_, rest)| {
                let part = first_part(rest);
                let inside = parts.contains(part) || is_mlp && is_layer(part);
                let is_beside = self.layout.beside.is_some_and(|start| rest.starts_with(start));
                let inside = inside && !is_beside || self.layout.of_others.contains(rest);
                inside && !names.contains(rest) && !is_bookkeeping(rest)
            })
            .map(|(name, _)| name.as_str())
            .collect();
    }
}

/// The tensors by name.
fn index_of(layout: &Layout) -> HashMap<&str, &LaidOut> {
    layout.tensors().map(|tensor| (tensor.name.as_str(), tensor)).collect()
}

/// Where in a name another name may begin: at the start, and after each dot.
fn starts(name: &str) -> impl Iterator<Item = usize> {
    let short = name.len() <= MOST_NAME_BYTES;
    let after_dots = name.match_indices('.').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_dots).take(if short { MOST_PARTS } else { 0 })
}

/// The name up to its first dot.
fn first_part(name: &str) -> &str {
    name.split_once('.').map_or(name, |(first, _)| first)
}
