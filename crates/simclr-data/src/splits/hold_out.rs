//! A test set where there is none.

use std::sync::Arc;

use super::labelled::Labelled;
use crate::{DataError, ImageDataset, Subset};

/// One image of this many is held out.
const EVERY: usize = 5;

/// How many test images go with a training set of `images`: a fifth as many, rounded up.
pub(super) fn test_images_for(images: usize) -> usize {
    images.div_ceil(EVERY)
}

/// A set, divided into a test set and the rest.
pub(super) struct HoldOut {
    /// All images outside the test set, labelled or not.
    pub(super) rest: Arc<dyn ImageDataset>,
    /// `None` if no class has two images.
    pub(super) labelled: Option<Labelled>,
}

/// Whether each image is held out: the second of each class and every fifth after it. A class of two images then has
/// one in the training set and one in the test set.
pub(super) fn held_out(dataset: &dyn ImageDataset) -> Vec<bool> {
    let mut seen = vec![0; dataset.class_names().len()];
    let mut is_held_out = |index| {
        let Some(label) = dataset.label(index) else { return false };
        seen[label] += 1;
        (seen[label] - 1) % EVERY == 1
    };
    (0..dataset.len()).map(&mut is_held_out).collect()
}

impl HoldOut {
    /// Divides a set by [`held_out`].
    pub(super) fn of(dataset: &Arc<dyn ImageDataset>) -> Result<Self, DataError> {
        let (mut rest, mut train, mut test) = (Vec::new(), Vec::new(), Vec::new());
        for (index, held_out) in held_out(dataset).into_iter().enumerate() {
            if held_out {
                test.push(index);
                continue;
            }
            rest.push(index);
            if dataset.label(index).is_some() {
                train.push(index);
            }
        }
        if test.is_empty() {
            return Ok(Self { rest: Arc::clone(dataset), labelled: None });
        }
        let subset = |indices| -> Result<Arc<dyn ImageDataset>, DataError> {
            Ok(Arc::new(Subset::new(Arc::clone(dataset), indices)?))
        };
        let labelled = Labelled { train: subset(train)?, test: subset(test)? };
        Ok(Self { rest: subset(rest)?, labelled: Some(labelled) })
    }
}
