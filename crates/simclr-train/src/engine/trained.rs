//! The result of a run in memory.

use crate::run::position::Position;
use crate::run::summary::Summary;
use crate::views::view_source::Skipped;

/// The result of a run in memory; [`RunDirectory`](crate::RunDirectory) is the result on disk.
#[derive(Debug)]
pub struct Trained<E> {
    /// The trained encoder in evaluation mode, without autodiff.
    pub encoder: E,
    /// The run's figures.
    pub summary: Summary,
    /// Examples that could not be read, each once, since the run began.
    pub skipped: Vec<Skipped>,
    /// Where the run stands.
    pub position: Position,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
}
