//! The order of images that lie in several folders.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::listing::Listing;

/// Images of one folder that follow each other.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) listing: Arc<Listing>,
    /// Which images of the folder.
    pub(super) images: Range<usize>,
}

impl Run {
    pub(super) fn whole(listing: Arc<Listing>) -> Self {
        let images = 0..listing.images.len();
        Self { listing, images }
    }
}

/// All images of folders inside each other, sorted by path.
pub(super) fn sorted(listings: Vec<Arc<Listing>>) -> Vec<Run> {
    let listings = listings.into_iter().filter(|listing| !listing.images.is_empty());
    let listings: Vec<_> = listings.collect();
    // A folder's images are apart where those of a folder inside come between them.
    let mut cuts: HashMap<&Path, BTreeSet<usize>> = HashMap::new();
    let by_dir: HashMap<&Path, &Arc<Listing>> =
        listings.iter().map(|listing| (listing.dir.as_path(), listing)).collect();
    for listing in &listings {
        let mut inside = listing.dir.as_path();
        while let (Some(outside), Some(name)) = (inside.parent(), inside.file_name()) {
            if let Some(around) = by_dir.get(outside) {
                cuts.entry(outside).or_default().insert(around.images.before(Path::new(name)));
            }
            inside = outside;
        }
    }
    let mut runs: Vec<(PathBuf, Run)> = Vec::new();
    for listing in &listings {
        let mut start = 0;
        let cuts = cuts.get(listing.dir.as_path()).into_iter().flatten().copied();
        for end in cuts.chain([listing.images.len()]) {
            if start < end {
                let first = listing.dir.join(listing.images.name(start));
                runs.push((first, Run { listing: Arc::clone(listing), images: start..end }));
                start = end;
            }
        }
    }
    runs.sort_by(|(a, _), (b, _)| a.cmp(b));
    runs.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image_folder::{names::Names, sizes::Sizes};

    proptest! {
        #[test]
        fn the_order_is_that_of_all_paths(
            paths in prop::collection::btree_set("[ab.]{1,2}(/[ab.c]{1,2}){0,3}", 0..40),
        ) {
            // Names of files end in `!`, so that no file is called like a folder; no name is `.` or `..`.
            let path = |text: &String| PathBuf::from(format!("{}!", text.replace('.', "-")));
            let mut all: Vec<PathBuf> = paths.iter().map(path).collect();
            all.sort();
            all.dedup();
            let mut folders: HashMap<PathBuf, Vec<std::ffi::OsString>> = HashMap::new();
            for path in &all {
                let dir = path.parent().unwrap().to_owned();
                folders.entry(dir).or_default().push(path.file_name().unwrap().to_owned());
            }
            let listings = folders.into_iter().map(|(dir, names)| {
                let (images, others) = (Names::of(names), Names::default());
                let sizes = Sizes::default();
                Arc::new(Listing { dir, images, folders: Vec::new(), links: Vec::new(), others, sizes })
            });
            let found: Vec<PathBuf> = sorted(listings.collect())
                .into_iter()
                .flat_map(|run| {
                    let paths: Vec<_> = run.listing.images.paths(&run.listing.dir).collect();
                    paths[run.images].to_vec()
                })
                .collect();
            prop_assert_eq!(found, all);
        }
    }
}
