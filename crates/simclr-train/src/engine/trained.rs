//! The result of a run in memory.

use crate::run::summary::Summary;
use crate::views::view_source::Skipped;

/// The result of a run in memory; [`RunDirectory`](crate::RunDirectory) is the result on disk.
#[derive(Debug)]
pub struct Trained<E> {
    /// The trained encoder in evaluation mode, without autodiff.
    pub encoder: E,
    /// The run's figures.
    pub summary: Summary,
    /// Examples that could not be read, each once.
    pub skipped: Vec<Skipped>,
    /// Whether the run was stopped before its last epoch.
    pub interrupted: bool,
}
