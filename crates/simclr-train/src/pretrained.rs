//! What a run leaves in memory.

use crate::summary::Summary;
use crate::two_views::Skipped;

/// What a run leaves: see also [`RunDirectory`](crate::RunDirectory).
#[derive(Debug)]
pub struct Pretrained<E> {
    /// The trained encoder in its evaluation state, without autodiff.
    pub encoder: E,
    /// The run's figures.
    pub summary: Summary,
    /// Images that could not be read, each once.
    pub skipped: Vec<Skipped>,
    /// Whether the run was stopped before its last epoch. (burn-train's own word for it is forgotten when
    /// its dashboard closes.)
    pub interrupted: bool,
}
