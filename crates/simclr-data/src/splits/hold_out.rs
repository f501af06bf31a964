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

impl HoldOut {
    /// Holds out the second image of each class and every fifth after it. A class of two images then has one in the
    /// training set and one in the test set.
    pub(super) fn of(dataset: &Arc<dyn ImageDataset>) -> Result<Self, DataError> {
        let mut seen = vec![0; dataset.class_names().len()];
        let (mut rest, mut train, mut test) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..dataset.len() {
            let Some(label) = dataset.label(index) else {
                rest.push(index);
                continue;
            };
            if seen[label] % EVERY == 1 {
                test.push(index);
            } else {
                rest.push(index);
                train.push(index);
            }
            seen[label] += 1;
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
