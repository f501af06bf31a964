//! A training set and a test set.

use std::sync::Arc;

use crate::ImageDataset;

/// Labelled images for evaluation. Both sets have the same classes, and every image has a label.
#[derive(Clone)]
pub struct Labelled {
    /// The training set: its images vote in a nearest-neighbour classifier, or train a linear probe.
    pub train: Arc<dyn ImageDataset>,
    /// The test set: the images that are classified.
    pub test: Arc<dyn ImageDataset>,
}
