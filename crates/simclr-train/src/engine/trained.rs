//! What a run leaves in memory.

use crate::run::summary::Summary;
use crate::views::view_source::Skipped;

/// What a run leaves in memory: see [`RunDirectory`](crate::RunDirectory) for what it leaves on disk.
#[derive(Debug)]
pub struct Trained<E> {
    /// The trained encoder in its evaluation state, without autodiff.
    pub encoder: E,
    /// The run's figures.
    pub summary: Summary,
    /// Examples that could not be read, each once.
    pub skipped: Vec<Skipped>,
    /// Whether the run was stopped before its last epoch. (burn-train forgets it when its dashboard closes.)
    pub interrupted: bool,
}
