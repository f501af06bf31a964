//! The folders of a data set, each listed once.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use rayon::prelude::*;

use super::{folder_table, listing::Listing};
use crate::{DataError, Opening, escape_name, opening::ListingProgress};

/// A folder that changed so recently, when it was listed, may change again without its time telling.
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// What lies in folders: as the system lists it, or as an index file tells of folders that haven't changed since.
#[derive(Debug)]
pub(crate) struct Folders {
    root: PathBuf,
    listed: Mutex<HashMap<PathBuf, Listed>>,
    indexed: HashMap<PathBuf, Listed>,
    /// Why the index file isn't used.
    warning: Option<String>,
    /// Whether a folder had to be listed.
    is_new: AtomicBool,
    files: AtomicUsize,
    progress: Option<ListingProgress>,
}

/// A folder's content.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// When the folder last changed; `None` if that says nothing.
    pub(super) changed: Option<SystemTime>,
    pub(super) listing: Arc<Listing>,
}

impl Folders {
    /// The folders in `root`, none of which is listed yet.
    pub(crate) fn new(root: &Path, opening: &Opening) -> Self {
        let (mut indexed, mut warning) = (HashMap::new(), None);
        if let Some(index) = &opening.index {
            match folder_table::read(index, root) {
                Ok(table) => indexed = table,
                Err(fault) if fault.is_missing() => {}
                Err(fault) => {
                    let index = escape_name(index);
                    warning =
                        Some(format!("the index {index} is not used, and made anew: {fault}"));
                }
            }
        }
        Self {
            root: root.to_owned(),
            listed: Mutex::default(),
            is_new: AtomicBool::new(indexed.is_empty()),
            indexed,
            warning,
            files: AtomicUsize::new(0),
            progress: opening.progress.clone(),
        }
    }

    /// Why the index file isn't used, for people.
    pub(crate) fn warning(&self) -> Option<String> {
        self.warning.clone()
    }

    /// Whether the index file, if there is one, lacks a folder or has another content of it.
    pub(crate) fn are_new(&self) -> bool {
        self.is_new.load(Relaxed)
    }

    /// Lists `dir` and all folders at any depth inside on all cores, but for those that are links, which may lead in circles.
    pub(crate) fn list_all(&self, dir: &Path) {
        let mut level = vec![dir.to_owned()];
        while !level.is_empty() {
            let inside = level.par_iter().flat_map_iter(|dir| {
                // Whoever asks for a folder that cannot be listed gets the reason.
                let listing = self.listing(dir).ok();
                let folders = listing.into_iter().flat_map(|listing| {
                    let is_link = |folder: &&PathBuf| listing.links.contains(folder);
                    let folders = listing.folders.iter().filter(|it| !is_link(it));
                    folders.cloned().collect::<Vec<_>>()
                });
                folders.collect::<Vec<_>>()
            });
            level = inside.collect();
        }
    }

    /// What lies in `dir`.
    pub(crate) fn listing(&self, dir: &Path) -> Result<Arc<Listing>, DataError> {
        let known = self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(dir).cloned();
        if let Some(Listed { listing, .. }) = known {
            return Ok(listing);
        }
        let changed = fs::metadata(dir).and_then(|metadata| metadata.modified()).ok();
        let indexed = self.indexed.get(dir).filter(|indexed| indexed.changed == changed);
        let listed = match indexed {
            Some(indexed) if changed.is_some() => {
                let listing = &indexed.listing;
                listing.sizes.check(|index| listing.image_path(index));
                indexed.clone()
            }
            _ => {
                self.is_new.store(true, Relaxed);
                let now = SystemTime::now();
                let is_settled = |changed: &SystemTime| {
                    now.duration_since(*changed).is_ok_and(|since| since > CLOCK_TICK)
                };
                let listing = Arc::new(Listing::of(dir)?);
                Listed { changed: changed.filter(is_settled), listing }
            }
        };
        let listing = Arc::clone(&listed.listing);
        let files = listing.images.len() + listing.others.len();
        let files = files + self.files.fetch_add(files, Relaxed);
        if let Some(progress) = &self.progress {
            progress.tell(files);
        }
        let mut all = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(dir.to_owned(), listed);
        Ok(listing)
    }

    /// Writes an index file of what was listed.
    pub(crate) fn write_index(&self, path: &Path) -> io::Result<()> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        folder_table::write(path, &self.root, &listed)
    }

    /// Those of `folders` in which an image lies, at any depth, or may lie, as a folder cannot be read.
    pub(crate) fn holding_images(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        let holds = |folder: &&PathBuf| {
            let mut holds = false;
            let list = |dir: &Path| self.listing(dir);
            visit(folder, list, |_, listing| {
                holds |= listing.map_or(true, |listing| !listing.images.is_empty());
                !holds
            });
            holds
        };
        folders.iter().filter(holds).cloned().collect()
    }
}

/// Shows `see` what `list` finds in `dir` and in each folder at any depth below, until it says no. Each real folder is
/// entered once, so circles of links end.
pub(super) fn visit(
    dir: &Path,
    list: impl Fn(&Path) -> Result<Arc<Listing>, DataError>,
    mut see: impl FnMut(&Path, Result<&Arc<Listing>, &DataError>) -> bool,
) {
    let mut entered = HashSet::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(folder) = waiting.pop() {
        // Where a folder leads cannot be told of one that cannot be listed either.
        if fs::canonicalize(&folder).is_ok_and(|real| !entered.insert(real)) {
            continue;
        }
        let listing = list(&folder);
        if !see(&folder, listing.as_ref()) {
            break;
        }
        waiting.extend(listing.iter().flat_map(|listing| listing.folders.iter().cloned()));
    }
}
