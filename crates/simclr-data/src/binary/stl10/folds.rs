//! The folds of STL-10's training split.

use std::path::Path;

use super::{Stl10, Stl10Split};
use crate::{DataError, binary::text_file};

/// Number of folds: lines of `fold_indices.txt`.
const FOLDS: usize = 10;

impl Stl10 {
    /// The ten predefined folds of the training split, as indices into it, from `fold_indices.txt` in `dir`.
    ///
    /// The official protocol trains on each fold (1,000 images) in turn, tests on the whole test split, and reports
    /// the mean accuracy.
    ///
    /// # Errors
    ///
    /// [`DataError::FoldCount`] unless the file has ten lines; [`DataError::FoldIndex`] for anything in it that is not
    /// the index of a training image; the errors of [`open`](Self::open) for the training images themselves.
    pub fn folds(dir: impl AsRef<Path>) -> Result<Vec<Vec<usize>>, DataError> {
        let dir = dir.as_ref();
        let images = super::open_images(dir, Stl10Split::Train)?.len();
        let path = dir.join("fold_indices.txt");
        let text = text_file::read(&path, "fold indices of STL-10")?;
        let mut folds = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let index_of = |word: &str| match word.parse() {
                Ok(index) if index < images => Ok(index),
                _ => Err(DataError::FoldIndex {
                    path: path.clone(),
                    line: number + 1,
                    images,
                    found: word.into(),
                }),
            };
            folds.push(line.split_whitespace().map(index_of).collect::<Result<_, _>>()?);
        }
        if folds.len() != FOLDS {
            return Err(DataError::FoldCount { path, expected: FOLDS, found: folds.len() });
        }
        Ok(folds)
    }
}
