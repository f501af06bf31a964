//! Checkpoints, each complete or absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simclr_files::{create_folders, remove_folder, rename, replace_file};
use simclr_model::Encoder;

use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::run::position::Position;

// The parts of a checkpoint: a burnpack file, one of safetensors, and in f16 a file of JSON.
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.safetensors";
const LOSS_SCALE: &str = "loss-scale.json";

const PREFIX: &str = "epoch-";
const STEP: &str = "-step-";

/// `checkpoint/` of a run directory: one folder per epoch, such as `epoch-0003`; for an epoch that was interrupted, such as
/// `epoch-0003-step-000007`, 7 steps after epoch 3.
///
/// A checkpoint is written to a hidden folder, which gets its name when all parts and the [`Manifest`] are on the disk.
/// So a folder with a name is complete. Checksums reveal parts that were damaged later.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFolder {
    folder: PathBuf,
}

/// `manifest.json` of a checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The version of this layout.
    format: u32,
    /// The epoch after which the checkpoint was made.
    epoch: usize,
    /// The steps of the next epoch that it holds too.
    #[serde(default)]
    step: usize,
    /// The SHA-256 of each part, in hexadecimal.
    parts: BTreeMap<String, String>,
}

const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 3;

/// A loaded checkpoint.
pub(crate) struct Loaded<E> {
    pub(crate) state: TrainingState<E>,
    /// Where it was made; the start if the run has no checkpoint.
    pub(crate) position: Position,
    /// The errors of later checkpoints, which are damaged.
    pub(crate) refused: Vec<TrainError>,
}

impl CheckpointFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, position: Position) -> PathBuf {
        self.folder.join(name_of(position))
    }

    /// The positions with a complete checkpoint.
    pub(crate) fn positions(&self) -> Result<BTreeSet<Position>, TrainError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            Err(error) => return Err(TrainError::io("read", &self.folder)(error)),
        };
        let mut positions = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(TrainError::io("read", &self.folder))?;
            let name = entry.file_name();
            positions.extend(name.to_str().and_then(position_of));
        }
        Ok(positions)
    }

    /// Writes a checkpoint; on return it is complete and on the disk.
    pub(crate) fn save<E: Encoder>(
        &self,
        position: Position,
        state: &TrainingState<E>,
    ) -> Result<(), TrainError> {
        let parts = Self::parts(state).and_then(|parts| {
            let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, &part[..])).collect();
            self.write(position, &parts).map_err(|error| error.to_string())
        });
        let path = self.path(position);
        parts.map_err(|reason| TrainError::CheckpointNotSaved { path, reason })
    }

    /// What a state is saved as, by name; why it cannot be, otherwise.
    pub(crate) fn parts<E: Encoder>(
        state: &TrainingState<E>,
    ) -> Result<BTreeMap<&'static str, Bytes>, String> {
        // Burn's running statistics hold the last step's back until they are asked for their value; a record doesn't ask.
        drop(state.model.valid());
        let model = state.model.clone().into_record().into_bytes();
        let model = model.map_err(|error| format!("{MODEL}: {error}"))?;
        let optimizer = state.optimizer.to_bytes();
        let optimizer = optimizer.map_err(|error| format!("{OPTIMIZER}: {error}"))?;
        let scale = state.scale.as_ref().map(|scale| serde_json::to_vec(&scale.record()));
        let scale = scale.transpose().map_err(|error| format!("{LOSS_SCALE}: {error}"))?;
        let optimizer = Bytes::from_bytes_vec(optimizer);
        let mut parts = BTreeMap::from([(MODEL, model), (OPTIMIZER, optimizer)]);
        parts.extend(scale.map(|scale| (LOSS_SCALE, Bytes::from_bytes_vec(scale))));
        Ok(parts)
    }

    pub(crate) fn write(&self, position: Position, parts: &[(&str, &[u8])]) -> std::io::Result<()> {
        let unfinished = self.unfinished(position);
        create_folders(&unfinished)?;
        let write = |name: &str, bytes: &[u8]| {
            replace_file(unfinished.join(name), |file| file.write_all(bytes))
        };
        for (name, bytes) in parts {
            write(name, bytes)?;
        }
        let parts = parts.iter().map(|(name, bytes)| ((*name).to_owned(), checksum(bytes)));
        let Position { epochs: epoch, steps: step } = position;
        let manifest = Manifest { format: FORMAT, epoch, step, parts: parts.collect() };
        write(MANIFEST, &serde_json::to_vec_pretty(&manifest)?)?;
        // The parts must appear together, so that the folder is renamed, and not each file. A rename replaces no folder
        // with files in it: an old checkpoint of this epoch, which a resumed run has refused, goes first.
        let named = self.path(position);
        remove_if_there(&named)?;
        rename(unfinished, named)
    }

    /// Deletes all checkpoints except those at the positions `kept`.
    pub(crate) fn keep_only(&self, kept: &BTreeSet<Position>) -> Result<(), TrainError> {
        for &position in self.positions()?.difference(kept) {
            let path = self.path(position);
            // It loses its name first: a process that ends halfway leaves no torn checkpoint.
            let hidden = self.unfinished(position);
            remove_if_there(&hidden)
                .and_then(|()| rename(&path, &hidden))
                .and_then(|()| remove_folder(&hidden))
                .map_err(TrainError::io("delete", &path))?;
        }
        Ok(())
    }

    /// The hidden folder of a checkpoint that is being written or deleted.
    fn unfinished(&self, position: Position) -> PathBuf {
        self.folder.join(format!(".{}.part", name_of(position)))
    }

    /// Loads the latest undamaged checkpoint into a state that `new` makes; `None` if there is no checkpoint.
    ///
    /// # Errors
    ///
    /// The error of the latest checkpoint if all are damaged.
    pub(crate) fn load_latest<E: Encoder>(
        &self,
        new: impl Fn() -> TrainingState<E>,
    ) -> Result<Option<Loaded<E>>, TrainError> {
        let mut refused = Vec::new();
        for position in self.positions()?.into_iter().rev() {
            match self.load(position, new()) {
                Ok(state) => return Ok(Some(Loaded { state, position, refused })),
                Err(error) => refused.push(error),
            }
        }
        refused.into_iter().next().map_or(Ok(None), Err)
    }

    fn load<E: Encoder>(
        &self,
        position: Position,
        state: TrainingState<E>,
    ) -> Result<TrainingState<E>, TrainError> {
        let path = self.path(position);
        let error = |part: &str, reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason: format!("{part}: {reason}"),
        };
        let mut parts = self.read(position)?;
        let mut part = |name: &str| {
            let none = || error(name, "expected this part, found none".to_owned());
            parts.remove(name).ok_or_else(none)
        };
        let (model, optimizer) = (part(MODEL)?, part(OPTIMIZER)?);
        let record = ModuleRecord::from_bytes(model).map_err(|e| error(MODEL, e.to_string()))?;
        let model = state.model.try_load_record(record);
        let model = model.map_err(|e| error(MODEL, e.to_string()))?;
        let optimizer = state.optimizer.load(&optimizer, &model);
        let optimizer = optimizer.map_err(|reason| error(OPTIMIZER, reason))?;
        let scale = match state.scale {
            None => None,
            Some(scale) => {
                let record = serde_json::from_slice(&part(LOSS_SCALE)?);
                Some(scale.with(record.map_err(|e| error(LOSS_SCALE, e.to_string()))?))
            }
        };
        Ok(TrainingState { model, optimizer, scale })
    }

    /// Reads the parts of a checkpoint by name, and compares their checksums with the manifest.
    fn read(&self, position: Position) -> Result<BTreeMap<&'static str, Bytes>, TrainError> {
        let path = self.path(position);
        let error = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let read = |name: &str| {
            std::fs::read(path.join(name)).map_err(|source| error(format!("{name}: {source}")))
        };
        let manifest: Manifest = serde_json::from_slice(&read(MANIFEST)?)
            .map_err(|source| error(format!("{MANIFEST}: {source}")))?;
        for (what, expected, found) in [
            ("format", FORMAT as usize, manifest.format as usize),
            ("epoch", position.epochs, manifest.epoch),
            ("step", position.steps, manifest.step),
        ] {
            if expected != found {
                return Err(error(format!(
                    "{MANIFEST}: expected {what} {expected}, found {found}"
                )));
            }
        }
        let mut parts = BTreeMap::new();
        for name in [MODEL, OPTIMIZER, LOSS_SCALE] {
            let Some(expected) = manifest.parts.get(name) else { continue };
            let bytes = read(name)?;
            let found = checksum(&bytes);
            if *expected != found {
                return Err(error(format!("{name}: expected checksum {expected}, found {found}")));
            }
            parts.insert(name, Bytes::from_bytes_vec(bytes));
        }
        Ok(parts)
    }
}

fn remove_if_there(folder: &Path) -> std::io::Result<()> {
    match remove_folder(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// `epoch-0003`, or `epoch-0003-step-000007` within an epoch.
fn name_of(position: Position) -> String {
    match position {
        Position { epochs, steps: 0 } => format!("{PREFIX}{epochs:04}"),
        Position { epochs, steps } => format!("{PREFIX}{epochs:04}{STEP}{steps:06}"),
    }
}

/// The position in a checkpoint's name; `None` for another name.
fn position_of(name: &str) -> Option<Position> {
    let numbers = name.strip_prefix(PREFIX)?;
    let (epochs, steps) = numbers.split_once(STEP).unwrap_or((numbers, "0"));
    let position = Position { epochs: epochs.parse().ok()?, steps: steps.parse().ok()? };
    (name_of(position) == name).then_some(position)
}

fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use simclr_files::faults;

    use super::*;

    #[test]
    fn a_name_tells_the_position_and_other_names_none() {
        for position in [(0, 5), (3, 0), (3, 7), (12_345, 1_234_567)] {
            let position = Position { epochs: position.0, steps: position.1 };
            assert_eq!(position_of(&name_of(position)), Some(position));
        }
        for other in ["epoch-3", ".epoch-0003.part", "epoch-0003-step-7", "epoch-0003-step-000000"]
        {
            assert_eq!(position_of(other), None, "{other}");
        }
    }

    #[test]
    fn whatever_fails_every_checkpoint_with_a_name_is_whole_and_there_is_always_one() {
        let [first, second] = [1, 2].map(|epochs| Position { epochs, steps: 0 });
        let parts = |text: &'static str| {
            [(MODEL, text), (OPTIMIZER, "moments")].map(|(name, text)| (name, text.as_bytes()))
        };
        let in_folder = |folder: &Path| CheckpointFolder::new(folder.join("checkpoint"));
        let attempt = |folder: &Path| {
            let checkpoints = in_folder(folder);
            // The second time, as a run does that has refused a damaged one.
            for text in ["weights", "other weights"] {
                let written = checkpoints.write(second, &parts(text));
                written.map_err(|error| format!("{}: {error}", folder.display()))?;
            }
            checkpoints.keep_only(&BTreeSet::from([second])).map_err(|error| error.to_string())
        };
        let count = faults::everywhere(
            |folder| in_folder(folder).write(first, &parts("old weights")).unwrap(),
            attempt,
            |after| {
                let checkpoints = in_folder(after.folder);
                let positions = checkpoints.positions().unwrap();
                assert!(!positions.is_empty(), "{after:?}");
                for position in positions {
                    let parts = checkpoints.read(position);
                    let parts = parts.unwrap_or_else(|error| panic!("{after:?}: {error}"));
                    let texts: &[&str] = if position == first {
                        &["old weights"]
                    } else {
                        &["weights", "other weights"]
                    };
                    assert!(texts.iter().any(|text| text.as_bytes() == &parts[MODEL][..]));
                }
                attempt(after.folder).unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
                assert_eq!(checkpoints.positions().unwrap(), BTreeSet::from([second]));
            },
        );
        assert!(count > 60, "only {count} faults");
    }
}
