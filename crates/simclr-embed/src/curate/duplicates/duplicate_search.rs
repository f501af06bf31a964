//! Images that are copies of others.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use simclr_data::ImageDataset;

use super::components::components;
use super::descriptor::descriptors;
use super::duplicate_group::{Duplicate, DuplicateGroup, Relation};
use super::fingerprint::Fingerprint;
use super::likeness::{Likeness, Prepared};
use crate::embedding::Embedded;
use crate::error::EmbedError;
use crate::search::NeighbourGraph;
use crate::vectors::Features;

/// Nearest images that are looked at, by their pixels and by their features.
const BY_PIXELS: usize = 20;
const BY_FEATURES: usize = 10;
/// Bytes of a file that are read at a time.
const BLOCK: usize = 1 << 16;

/// A search for copies among images: of the same bytes, of the same pixels, and near duplicates, which were resized, compressed anew, cropped by
/// up to a twentieth of a side at each edge, mirrored, or all of that.
///
/// Features only propose what may be a copy: an encoder that was taught to ignore crops and colours calls different photos equal. So do
/// coarse descriptors of the pixels, so that nothing hangs on the encoder. What is proposed is laid over each other as 64 x 64 pixels (images with a side
/// under 48 pixels as 32 x 32), plain and in a mirror: the place, the scale along each axis, gain and offset are those of the smallest square difference
/// (Lucas and Kanade 1981). There, the gradients of the brightness of copies correlate by 0.87 at least, and their colours are equal.
///
/// ```
/// use burn::tensor::Device;
/// use image::imageops::{FilterType, flip_horizontal, resize};
/// use simclr_data::WholeSet;
/// use simclr_data::{ImageDataset, Sample, SampleConfig};
/// use simclr_embed::{DuplicateSearch, Fingerprinting, Relation};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let sample = Sample::new(SampleConfig { images: 4, size: 96, seed: 1 })?;
/// for index in 0..4 {
///     sample.image(index)?.save(folder.join(format!("{index}.png")))?;
/// }
/// resize(&flip_horizontal(&sample.image(2)?), 64, 64, FilterType::Triangle).save(folder.join("copy.png"))?;
///
/// let photos = Fingerprinting::new(WholeSet::open(folder)?);
/// for index in 0..photos.len() {
///     photos.image(index)?; // or `let embedded = embedder.embed(&photos)?`
/// }
/// let prints = photos.into_fingerprints();
/// let photos = WholeSet::open(folder)?;
/// let search = DuplicateSearch { images: &photos, fingerprints: &prints, embedded: None, seed: 0 };
/// let groups = search.find(&Device::flex())?;
/// assert_eq!(groups.len(), 1);
/// let names: Vec<_> = groups[0].members.iter().map(|member| photos.name(member.index)).collect();
/// assert_eq!(names, ["2.png", "copy.png"]); // the largest first
/// assert!(matches!(groups[0].members[1].relation, Relation::Near { mirrored: true, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct DuplicateSearch<'a> {
    /// The images. Those that lie in files of their own are compared byte by byte, too.
    pub images: &'a dyn ImageDataset,
    /// Their fingerprints, by their index; those without one are left out.
    pub fingerprints: &'a [Option<Fingerprint>],
    /// What an embedder made of them, if there is one.
    pub embedded: Option<&'a Embedded>,
    /// For sets whose nearest images are [searched by chance](NeighbourGraph).
    pub seed: u64,
}

/// A confirmed pair of different pixels, by their places among all [`Unique`].
struct Pair {
    a: usize,
    b: usize,
    likeness: Likeness,
}

/// Images of the same pixels.
struct Unique<'a> {
    print: &'a Fingerprint,
    /// Ascending.
    indices: Vec<usize>,
}

impl DuplicateSearch<'_> {
    /// The groups of copies, in the order of their best ones. The same on any number of threads.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Count`] unless there is an entry for each image; [`EmbedError::Read`] for a file that cannot be read any more;
    /// [`EmbedError::NotFinite`] for features that are not; [`EmbedError::Device`].
    pub fn find(&self, device: &Device) -> Result<Vec<DuplicateGroup>, EmbedError> {
        self.find_telling(device, &|_, _| ())
    }

    /// [`find`](Self::find), which takes a while: `tell` hears, from any thread, how many images have been compared with those that may be copies, and of how many.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find).
    pub fn find_telling(
        &self,
        device: &Device,
        tell: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<DuplicateGroup>, EmbedError> {
        let (images, prints) = (self.images.len(), self.fingerprints.len());
        EmbedError::check_count("a fingerprint", "images", images, prints)?;
        let uniques = self.uniques();
        let pairs = confirmed(&uniques, &self.candidates(&uniques, device)?, tell);
        let mut belongs: Vec<Vec<usize>> =
            components(uniques.len(), pairs.iter().map(|pair| (pair.a, pair.b)));
        let mut alone = vec![true; uniques.len()];
        belongs.iter().flatten().for_each(|&unique| alone[unique] = false);
        let several = |&unique: &usize| alone[unique] && uniques[unique].indices.len() > 1;
        belongs.extend((0..uniques.len()).filter(several).map(|unique| vec![unique]));
        let mut partners = vec![Vec::new(); uniques.len()];
        for Pair { a, b, likeness } in pairs {
            partners[a].push((b, likeness));
            partners[b].push((a, likeness));
        }
        let group = |places: Vec<usize>| self.group(&places, &uniques, &partners);
        let mut groups = belongs.into_iter().map(group).collect::<Result<Vec<_>, _>>()?;
        groups.sort_by_key(|group| group.members[0].index);
        Ok(groups)
    }

    /// The images of each distinct content, in the order of their first.
    fn uniques(&self) -> Vec<Unique<'_>> {
        let mut places: HashMap<&[u8; 32], usize> = HashMap::new();
        let mut uniques: Vec<Unique> = Vec::new();
        for (index, print) in self.fingerprints.iter().enumerate() {
            let Some(print) = print else { continue };
            let place = *places.entry(print.checksum()).or_insert(uniques.len());
            if place == uniques.len() {
                uniques.push(Unique { print, indices: Vec::new() });
            }
            uniques[place].indices.push(index);
        }
        uniques
    }

    /// Pairs that may be copies, the smaller place first, ascending.
    fn candidates(
        &self,
        uniques: &[Unique],
        device: &Device,
    ) -> Result<Vec<(usize, usize)>, EmbedError> {
        if uniques.len() < 2 {
            return Ok(Vec::new());
        }
        let prints: Vec<&Fingerprint> = uniques.iter().map(|unique| unique.print).collect();
        let places: Vec<usize> = (0..uniques.len()).collect();
        let mut pairs = Vec::new();
        let mut propose = |features: &Features, places: &[usize], k| -> Result<(), EmbedError> {
            let graph = NeighbourGraph::new(features, k, self.seed, device)?;
            for (row, &place) in places.iter().enumerate() {
                let near = graph.of(row).iter().map(|near| places[near.row as usize]);
                pairs.extend(near.map(|other| (place.min(other), place.max(other))));
            }
            Ok(())
        };
        propose(&descriptors(&prints), &places, BY_PIXELS)?;
        if let Some(embedded) = self.embedded {
            let place_of: HashMap<usize, usize> =
                uniques.iter().zip(0..).map(|(unique, place)| (unique.indices[0], place)).collect();
            let embedded_rows = embedded.indices.iter().enumerate();
            let known = embedded_rows.filter_map(|(row, index)| Some((row, *place_of.get(index)?)));
            let (rows, places): (Vec<usize>, Vec<usize>) = known.unzip();
            if rows.len() > 1 {
                propose(&embedded.features.select(&rows), &places, BY_FEATURES)?;
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }

    /// The group of the images of these contents.
    fn group(
        &self,
        places: &[usize],
        uniques: &[Unique],
        partners: &[Vec<(usize, Likeness)>],
    ) -> Result<DuplicateGroup, EmbedError> {
        let mut members: Vec<(usize, usize)> = Vec::new(); // index and place
        for &place in places {
            members.extend(uniques[place].indices.iter().map(|&index| (index, place)));
        }
        members.sort_by_cached_key(|&(index, place)| {
            let stored = self.images.stored_size(index).unwrap_or(0);
            (Reverse(uniques[place].print.pixels()), Reverse(stored), index)
        });
        let mut ranked: HashMap<usize, usize> = HashMap::new(); // the first image of each content
        let mut files: HashMap<[u8; 32], usize> = HashMap::new();
        let mut group = Vec::new();
        for &(index, place) in &members {
            let mut same_file = None;
            if let Some(path) = self.images.path(index)
                && uniques[place].indices.len() > 1
            {
                let checksum = file_checksum(&path).map_err(EmbedError::read(&path))?;
                same_file = files.get(&checksum).copied();
                files.entry(checksum).or_insert(index);
            }
            let relation = if group.is_empty() {
                Relation::Best
            } else if let Some(of) = same_file {
                Relation::SameBytes { of }
            } else if let Some(&of) = ranked.get(&place) {
                Relation::SamePixels { of }
            } else {
                near(&partners[place], &ranked, &members)
            };
            ranked.entry(place).or_insert(index);
            group.push(Duplicate { index, relation });
        }
        Ok(DuplicateGroup { members: group })
    }
}

/// What a content is to the best of its `partners` that has its rank already, or else to the likest; `members` are in the order of their ranks.
fn near(
    partners: &[(usize, Likeness)],
    ranked: &HashMap<usize, usize>,
    members: &[(usize, usize)],
) -> Relation {
    let first = |partner: usize| {
        let rank = members.iter().position(|&(_, place)| place == partner);
        rank.expect("both contents of a pair are in its group")
    };
    let known = partners.iter().filter(|(partner, _)| ranked.contains_key(partner));
    let best = known.min_by_key(|(partner, _)| first(*partner));
    let likest = || partners.iter().max_by(|a, b| a.1.edges.total_cmp(&b.1.edges));
    let best = best.or_else(likest).expect("a group is connected by pairs");
    let (partner, Likeness { edges, mirrored }) = *best;
    Relation::Near { of: members[first(partner)].0, likeness: edges, mirrored }
}

/// The candidates that are copies.
fn confirmed(
    uniques: &[Unique],
    candidates: &[(usize, usize)],
    tell: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Pair> {
    let by_first: Vec<&[(usize, usize)]> = candidates.chunk_by(|a, b| a.0 == b.0).collect();
    let (done, of) = (AtomicUsize::new(0), by_first.len());
    let of_first = |candidates: &&[(usize, usize)]| {
        let a = candidates[0].0;
        let first = Prepared::new(uniques[a].print);
        let pair = |&(_, b): &(usize, usize)| {
            let likeness = first.copy(&Prepared::new(uniques[b].print))?;
            Some(Pair { a, b, likeness })
        };
        let found: Vec<Pair> = candidates.iter().filter_map(pair).collect();
        tell(done.fetch_add(1, Ordering::Relaxed) + 1, of);
        found
    };
    by_first.par_iter().flat_map_iter(of_first).collect()
}

/// SHA-256 of a file's bytes.
fn file_checksum(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&block[..read]),
        }
    }
}
