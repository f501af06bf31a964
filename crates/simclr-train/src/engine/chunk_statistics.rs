//! What batch normalisation sees where a batch is encoded in chunks.

use serde::{Deserialize, Serialize};

/// What the encoder's batch normalisation is given where a batch is encoded in chunks: on one device
/// with a [`chunk_size`](crate::TrainConfig::chunk_size), or on several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChunkStatistics {
    /// Each chunk is normalised by its own statistics, in both forward passes, so that the gradient is
    /// exact for that network. The running averages move once a step, by the mean of the chunks'. This is what
    /// PyTorch's data-parallel training does without synchronised batch normalisation.
    #[default]
    PerChunk,
    /// Refused: the run is an error unless every batch is encoded at once, or the encoder has no batch
    /// statistics. For those who want exactly the step of the whole batch.
    Refuse,
}
