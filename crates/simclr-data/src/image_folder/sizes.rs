//! How long the files of a folder are.

use std::{
    fs,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::index_file::{IndexFault, TableReader, TableWriter};

/// Stands for a length that nobody has asked for.
const UNKNOWN: u64 = u64::MAX;
/// Files of a folder whose lengths are asked again before those of an index file are believed.
const CHECKED: usize = 64;

/// The lengths of a folder's images in bytes, as far as they were asked for: eight bytes each, once one was.
#[derive(Debug, Default)]
pub(crate) struct Sizes(OnceLock<Vec<AtomicU64>>);

impl Sizes {
    /// The length of image `index` of `images`, which is at `path`; `None` if the system cannot tell.
    pub(super) fn get(
        &self,
        index: usize,
        images: usize,
        path: impl FnOnce() -> PathBuf,
    ) -> Option<u64> {
        let all = self.0.get_or_init(|| (0..images).map(|_| AtomicU64::new(UNKNOWN)).collect());
        let known = all.get(index)?;
        let size = known.load(Relaxed);
        if size != UNKNOWN {
            return Some(size);
        }
        let size = fs::metadata(path()).ok()?.len();
        known.store(size, Relaxed);
        Some(size)
    }

    /// Forgets all unless those of some files, spread over the folder, are still true: files that were written anew in their places
    /// don't change the time of their folder.
    pub(super) fn check(&self, path: impl Fn(usize) -> PathBuf) {
        let Some(all) = self.0.get() else { return };
        let step = all.len().div_ceil(CHECKED).max(1);
        let is_true = |index: usize| {
            let size = all[index].load(Relaxed);
            size == UNKNOWN || fs::metadata(path(index)).is_ok_and(|file| file.len() == size)
        };
        if !(0..all.len()).step_by(step).all(is_true) {
            for size in all {
                size.store(UNKNOWN, Relaxed);
            }
        }
    }

    pub(super) fn write(&self, table: &mut TableWriter) {
        let all = self.0.get().map(Vec::as_slice).unwrap_or_default();
        table.u64s(&all.iter().map(|size| size.load(Relaxed)).collect::<Vec<_>>());
    }

    /// Those of so many images, or none.
    pub(super) fn read(table: &mut TableReader, images: usize) -> Result<Self, IndexFault> {
        let sizes = table.u64s()?;
        if sizes.is_empty() {
            return Ok(Self::default());
        }
        if sizes.len() != images {
            return Err(IndexFault::Table("a file has no length"));
        }
        let all: Vec<AtomicU64> = sizes.into_iter().map(AtomicU64::new).collect();
        Ok(Self(OnceLock::from(all)))
    }
}
