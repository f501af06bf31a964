//! What a file has instead of an encoder's tensors.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::contents::Contents;
use super::load_report::is_bookkeeping;
use super::place::Place;
use super::published_layout::{LaidOut, Layout};
use crate::published_names::Naming;

/// How many names of a kind a message has.
const SHOWN: usize = 4;

/// Why a file isn't one of an encoder's weights: the place in it that comes nearest, and what is different there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearMiss {
    /// The library whose names are compared.
    pub naming: Naming,
    /// The prefix of the names that come nearest.
    pub prefix: String,
    /// The number of the encoder's tensors.
    pub expected: usize,
    /// The number of those that the file has, of the right shape.
    pub found: usize,
    /// The tensors of another shape: name in the file, the encoder's shape, the file's.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// The encoder's tensors that the file doesn't have: name and shape.
    pub missing: Vec<(String, Vec<usize>)>,
    /// The tensors that a larger network of the encoder's kind has, such as further blocks: name and shape.
    pub surplus: Vec<(String, Vec<usize>)>,
    /// The file's other tensors, those below the prefix first, without counters of batches: name and shape.
    pub others: Vec<(String, Vec<usize>)>,
    /// The classes of objects that the file has under missing names.
    objects: BTreeMap<String, String>,
}

impl NearMiss {
    /// Compares `layouts` with a file at the `nearest` place, or with the first layout if no name is the same.
    pub(super) fn new(layouts: &[Layout], nearest: Option<&Place>, contents: &Contents) -> Self {
        let Contents { tensors, objects, .. } = contents;
        let whole = |name: &str| contents.whole_name(name);
        let (prefix, surplus) =
            nearest.map_or(("", &[][..]), |place| (place.prefix, &place.surplus));
        let layout = nearest.map(|place| place.layout).or(layouts.first());
        let naming = layout.map_or(Naming::Simclr, |layout| layout.naming);
        let expected: Vec<&LaidOut> = layout.into_iter().flat_map(Layout::tensors).collect();
        let named = |tensor: &LaidOut| (format!("{prefix}{}", tensor.name), tensor.shape.clone());
        let mut miss = Self {
            naming,
            prefix: whole(prefix),
            expected: expected.len(),
            found: nearest.map_or(0, |place| place.fitting),
            misshapen: Vec::new(),
            missing: Vec::new(),
            surplus: Vec::new(),
            others: Vec::new(),
            objects: BTreeMap::new(),
        };
        let mut names = HashSet::new();
        for tensor in expected {
            let (name, shape) = named(tensor);
            match tensors.get(&name) {
                Some(stored) if tensor.fits(stored.shape()) => {}
                Some(stored) => {
                    miss.misshapen.push((whole(&name), shape, stored.shape().to_vec()));
                }
                None => {
                    let object = objects.get(&name).map(|object| object.class.clone());
                    miss.objects.extend(object.map(|class| (whole(&name), class)));
                    miss.missing.push((whole(&name), shape));
                }
            }
            names.insert(name);
        }
        let rest = tensors.keys().map(String::as_str);
        let rest = rest.filter(|name| !names.contains(*name) && !is_bookkeeping(name));
        let mut rest: Vec<&str> = rest.collect();
        rest.sort_by_key(|name| !name.starts_with(prefix));
        let shaped = |name: &str| (whole(name), tensors[name].shape().to_vec());
        let (surplus, others): (Vec<&str>, _) =
            rest.into_iter().partition(|name| surplus.binary_search(name).is_ok());
        miss.surplus = surplus.into_iter().map(shaped).collect();
        miss.others = others.into_iter().map(shaped).collect();
        let elsewhere = contents.elsewhere.iter().filter(|(name, _)| !is_bookkeeping(name));
        miss.others.extend(elsewhere.cloned());
        miss
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected the encoder's {} tensors below one prefix, ", self.expected)?;
        match (self.found, self.prefix.as_str()) {
            (0, _) => write!(f, "found none")?,
            (found, "") => write!(f, "found {found} at the top")?,
            (found, prefix) => write!(f, "found {found} below `{prefix}`")?,
        }
        if let Some((name, expected, found)) = self.misshapen.first() {
            write!(f, "; expected {name} of shape {expected:?}, found {found:?}")?;
            if self.misshapen.len() > 1 {
                write!(f, ", and {} more of other shapes", self.misshapen.len() - 1)?;
            }
        }
        let missing = self.missing.iter().map(|(name, shape)| match self.objects.get(name) {
            Some(class) => format!("{name}, of which the file has an object of {class}"),
            None => format!("{name} {shape:?}"),
        });
        let shaped = |(name, shape): &(String, Vec<usize>)| format!("{name} {shape:?}");
        list(f, "missing", missing)?;
        list(f, "of a larger network", self.surplus.iter().map(shaped))?;
        if self.missing.is_empty() && self.misshapen.is_empty() {
            return Ok(());
        }
        list(f, "in the file", self.others.iter().map(shaped))
    }
}

/// The number of names, and the first few of them.
fn list(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    names: impl ExactSizeIterator<Item = String>,
) -> fmt::Result {
    let count = names.len();
    if count == 0 {
        return Ok(());
    }
    let shown: Vec<String> = names.take(SHOWN).collect();
    let more = if count > SHOWN { ", ..." } else { "" };
    write!(f, "; {what}: {count} ({}{more})", shown.join(", "))
}
