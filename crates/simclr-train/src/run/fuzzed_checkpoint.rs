//! A checkpoint of any bytes, for the fuzz target.

use std::path::Path;

use burn::tensor::{Bytes, Device};
use simclr_model::{EncoderConfig, ProjectionHeadConfig, SimClr};

use crate::engine::train_config::TrainConfig;
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::run::checkpoint::CheckpointFolder;
use crate::run::position::Position;

/// Makes a checkpoint of a small network in `folder`, with these bytes as its `part`, and loads it.
///
/// # Errors
///
/// That the bytes are no such part.
///
/// # Panics
///
/// If nothing can be written to the folder.
pub fn fuzzed_checkpoint(folder: &Path, part: usize, bytes: &[u8]) -> Result<(), TrainError> {
    let device = Device::flex().autodiff();
    let new = || {
        let encoder: EncoderConfig = "mlp_i8_4".parse().expect("a name of a network");
        let encoder = encoder.init(0, &device).expect("a small network");
        let head = ProjectionHeadConfig { output_size: 2, ..ProjectionHeadConfig::default() };
        let head = head.init(4, 1, &device).expect("a small head");
        TrainingState::new(SimClr { encoder, head }, &TrainConfig::small(), &device)
    };
    let checkpoints = CheckpointFolder::new(folder.to_owned());
    let position = Position { epochs: 1, steps: 0 };
    let mut parts = CheckpointFolder::parts(&new()).expect("a state");
    let count = parts.len();
    if let Some(part) = parts.values_mut().nth(part % count) {
        *part = Bytes::from_bytes_vec(bytes.to_vec());
    }
    let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, &part[..])).collect();
    checkpoints.write(position, &parts).expect("a folder in memory");
    checkpoints.load_latest(new).map(|_| ())
}
