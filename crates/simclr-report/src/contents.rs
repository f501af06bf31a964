//! All that a page shows, computed.

use crate::images::{EmbeddingMap, NeighbourRow, ViewRow};
use crate::quality::Quality;
use crate::run::{Curves, RunFacts};

/// The contents of a page, section by section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contents {
    pub(crate) facts: RunFacts,
    /// `None` without labels.
    pub(crate) quality: Option<Quality>,
    pub(crate) curves: Curves,
    pub(crate) views: Vec<ViewRow>,
    pub(crate) map: EmbeddingMap,
    pub(crate) neighbours: Vec<NeighbourRow>,
    /// Images that could not be read for the page.
    pub(crate) skipped: usize,
}
