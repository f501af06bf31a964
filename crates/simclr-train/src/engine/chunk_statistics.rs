//! The statistics of batch normalisation where a batch is encoded in chunks.

use serde::{Deserialize, Serialize};

/// The statistics by which the encoder's batch normalisation normalises where a batch is encoded in chunks: on one
/// device with a [`chunk_size`](crate::TrainConfig::chunk_size), or on several devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChunkStatistics {
    /// Each chunk is normalised by its own statistics, in both forward passes, so that the gradient is exact for that
    /// network. The running statistics move once a step, by the mean of the chunks'. PyTorch's data-parallel training
    /// does the same without synchronised batch normalisation.
    #[default]
    PerChunk,
    /// The run is an error unless every batch is encoded at once, or the encoder has no batch statistics: for runs that
    /// must take exactly the step of the whole batch.
    Refuse,
}
