//! Checkpoints, each complete or absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simclr_data::replace_file;
use simclr_model::Encoder;

use crate::engine::training_state::TrainingState;
use crate::error::TrainError;

/// The parts of a checkpoint, each a burnpack file.
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";

const PREFIX: &str = "epoch-";

/// `checkpoint/` of a run directory: one folder per epoch, such as `epoch-0003`.
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
    /// The SHA-256 of each part, in hexadecimal.
    parts: BTreeMap<String, String>,
}

const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 2;

/// A loaded checkpoint.
pub(crate) struct Loaded<E> {
    pub(crate) state: TrainingState<E>,
    /// The epoch after which it was made.
    pub(crate) epoch: usize,
    /// The errors of later checkpoints, which are damaged.
    pub(crate) refused: Vec<TrainError>,
}

impl CheckpointFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{PREFIX}{epoch:04}"))
    }

    /// The epochs with a complete checkpoint.
    pub(crate) fn epochs(&self) -> Result<BTreeSet<usize>, TrainError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            Err(error) => return Err(TrainError::io("read", &self.folder)(error)),
        };
        let mut epochs = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(TrainError::io("read", &self.folder))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            epochs.extend(number.and_then(|number| number.parse::<usize>().ok()));
        }
        Ok(epochs)
    }

    /// Writes a checkpoint; on return it is complete and on the disk.
    pub(crate) fn save<E: Encoder>(
        &self,
        epoch: usize,
        state: &TrainingState<E>,
    ) -> Result<(), TrainError> {
        let path = self.path(epoch);
        let failed = |reason: String| TrainError::CheckpointNotSaved { path: path.clone(), reason };
        let model = state.model.clone().into_record().into_bytes();
        let model = model.map_err(|error| failed(format!("{MODEL}: {error}")))?;
        let optimizer = state.optimizer.to_record().into_bytes();
        let optimizer = optimizer.map_err(|error| failed(format!("{OPTIMIZER}: {error}")))?;
        self.write(epoch, &[(MODEL, &model), (OPTIMIZER, &optimizer)])
            .map_err(|error| failed(error.to_string()))
    }

    fn write(&self, epoch: usize, parts: &[(&str, &[u8])]) -> std::io::Result<()> {
        let unfinished = self.folder.join(format!(".{PREFIX}{epoch:04}.part"));
        std::fs::create_dir_all(&unfinished)?;
        let write = |name: &str, bytes: &[u8]| {
            replace_file(unfinished.join(name), |file| file.write_all(bytes))
        };
        for (name, bytes) in parts {
            write(name, bytes)?;
        }
        let parts = parts.iter().map(|(name, bytes)| ((*name).to_owned(), checksum(bytes)));
        let manifest = Manifest { format: FORMAT, epoch, parts: parts.collect() };
        write(MANIFEST, &serde_json::to_vec_pretty(&manifest)?)?;
        // The parts must appear together, so that the folder is renamed, and not each file. A rename replaces no folder
        // with files in it: an old checkpoint of this epoch, which a resumed run has refused, goes first.
        let named = self.path(epoch);
        if named.exists() {
            std::fs::remove_dir_all(&named)?;
        }
        std::fs::rename(unfinished, named)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Deletes all checkpoints except those of the epochs `kept`.
    pub(crate) fn keep_only(&self, kept: &BTreeSet<usize>) -> Result<(), TrainError> {
        for epoch in self.epochs()?.difference(kept) {
            let path = self.path(*epoch);
            std::fs::remove_dir_all(&path).map_err(TrainError::io("delete", &path))?;
        }
        Ok(())
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
        for epoch in self.epochs()?.into_iter().rev() {
            match self.load(epoch, new()) {
                Ok(state) => return Ok(Some(Loaded { state, epoch, refused })),
                Err(error) => refused.push(error),
            }
        }
        refused.into_iter().next().map_or(Ok(None), Err)
    }

    fn load<E: Encoder>(
        &self,
        epoch: usize,
        state: TrainingState<E>,
    ) -> Result<TrainingState<E>, TrainError> {
        let path = self.path(epoch);
        let error = |part: &str, reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason: format!("{part}: {reason}"),
        };
        let [model, optimizer] = self.read(epoch)?;
        let record = ModuleRecord::from_bytes(model).map_err(|e| error(MODEL, e.to_string()))?;
        let model = state.model.try_load_record(record);
        let model = model.map_err(|e| error(MODEL, e.to_string()))?;
        let record =
            OptimizerRecord::from_bytes(optimizer).map_err(|e| error(OPTIMIZER, e.to_string()))?;
        Ok(TrainingState::new(model, state.optimizer.load_record(record)))
    }

    /// Reads the parts of a checkpoint and compares their checksums with the manifest.
    fn read(&self, epoch: usize) -> Result<[Bytes; 2], TrainError> {
        let path = self.path(epoch);
        let error = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let read = |name: &str| {
            std::fs::read(path.join(name)).map_err(|source| error(format!("{name}: {source}")))
        };
        let manifest: Manifest = serde_json::from_slice(&read(MANIFEST)?)
            .map_err(|source| error(format!("{MANIFEST}: {source}")))?;
        for (what, expected, found) in [
            ("format", FORMAT as usize, manifest.format as usize),
            ("epoch", epoch, manifest.epoch),
        ] {
            if expected != found {
                return Err(error(format!(
                    "{MANIFEST}: expected {what} {expected}, found {found}"
                )));
            }
        }
        let part = |name: &str| {
            let bytes = read(name)?;
            let (expected, found) = (manifest.parts.get(name), checksum(&bytes));
            if expected != Some(&found) {
                let expected = expected.map_or("none", String::as_str);
                return Err(error(format!("{name}: expected checksum {expected}, found {found}")));
            }
            Ok(Bytes::from_bytes_vec(bytes))
        };
        Ok([part(MODEL)?, part(OPTIMIZER)?])
    }
}

fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
