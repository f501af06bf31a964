//! Copies among the images, which take the reading of every pixel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use simclr_embed::{DuplicateSearch, Embedded, Fingerprint, Relation};

use crate::error::ExploreError;
use crate::exploration::Exploration;

/// Groups of copies, the best of each first.
pub(crate) struct Copies(pub(crate) Vec<Vec<Copy>>);

/// An image of a group.
pub(crate) struct Copy {
    pub(crate) row: usize,
    /// What it is to another one, in words: "same bytes".
    pub(crate) relation: &'static str,
    /// How alike it and the other are, in 0..=1.
    pub(crate) likeness: Option<f64>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Copies {
    /// Looks for copies, in a thread of its own, unless somebody has begun.
    pub(crate) fn look_for(exploration: &Arc<Exploration>) {
        if !exploration.copies.begins() {
            return;
        }
        let exploration = Arc::clone(exploration);
        std::thread::spawn(move || {
            let found = catch_unwind(AssertUnwindSafe(|| Self::find(&exploration)));
            let found = found.unwrap_or_else(|_| Err("the search panicked".to_owned()));
            exploration.copies.end(found);
        });
    }

    fn find(exploration: &Exploration) -> Result<Self, String> {
        let in_words = |error: ExploreError| error.to_string();
        let images = &*exploration.images;
        let (done, of) = (AtomicUsize::new(0), exploration.len());
        let mut prints: Vec<Option<Fingerprint>> = Vec::new();
        prints.resize_with(images.len(), || None);
        let read: Vec<(usize, Option<Fingerprint>)> = exploration
            .indices
            .par_iter()
            .map(|&index| {
                exploration.copies.tell("reading", done.fetch_add(1, Ordering::Relaxed), of);
                // One that has vanished is no copy of anything.
                let image = images.image(index).ok();
                (index, image.and_then(|image| Fingerprint::new(&image).ok()))
            })
            .collect();
        for (index, print) in read {
            prints[index] = print;
        }
        exploration.copies.tell("looking for likely pairs", 0, 0);
        let embedded = Embedded {
            features: (*exploration.features).clone(),
            indices: exploration.indices.clone(),
            names: exploration.names.clone(),
            skipped: Vec::new(),
        };
        let search = DuplicateSearch {
            images,
            fingerprints: &prints,
            embedded: Some(&embedded),
            seed: crate::preparation::SEED,
        };
        let compared = |done, of| exploration.copies.tell("comparing pixels", done, of);
        let groups = search.find_telling(&exploration.device, &compared);
        let groups = groups.map_err(|error| in_words(error.into()))?;
        let copy = |index: usize, relation: Relation| {
            let row = exploration.indices.binary_search(&index).ok()?;
            let print = prints[index].as_ref();
            let (width, height) = print.map_or((0, 0), |print| (print.width(), print.height()));
            let (relation, likeness) = in_words_of(relation);
            Some(Copy { row, relation, likeness, width, height })
        };
        let groups = groups.iter().map(|group| {
            group.members.iter().filter_map(|member| copy(member.index, member.relation)).collect()
        });
        Ok(Self(groups.collect()))
    }
}

fn in_words_of(relation: Relation) -> (&'static str, Option<f64>) {
    match relation {
        Relation::SameBytes { .. } => ("same bytes", None),
        Relation::SamePixels { .. } => ("same pixels", None),
        Relation::Near { likeness, mirrored: false, .. } => ("near", Some(likeness)),
        Relation::Near { likeness, .. } => ("near, mirrored", Some(likeness)),
        _ => ("best", None),
    }
}
