//! Checkpoints that are whole or not there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::TrainError;
use crate::warmup_cosine::WarmupCosine;

/// The three parts of a checkpoint, each a burnpack file.
const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULE: &str = "schedule.bpk";
const PARTS: [&str; 3] = [MODEL, OPTIMIZER, SCHEDULE];

const PREFIX: &str = "epoch-";

/// `checkpoint/` of a run directory: one folder an epoch, `epoch-0003`.
///
/// burn-train saves the parts of a checkpoint from three threads. They are written to a hidden folder,
/// which takes its name when the last of them and the [`Manifest`] are on the disk: a folder with a
/// name is complete. A part that was damaged later does not have its checksum any more.
#[derive(Clone)]
pub(crate) struct CheckpointFolder {
    folder: PathBuf,
    /// The checksums of the parts that are on the disk, of the epochs in the making.
    written: Arc<Mutex<BTreeMap<usize, BTreeMap<String, String>>>>,
}

/// `manifest.json` of a checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Version of the layout described here.
    format: u32,
    /// SHA-256 of each part, in hexadecimal.
    parts: BTreeMap<String, String>,
}

const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

impl CheckpointFolder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, written: Arc::default() }
    }

    pub(crate) fn model(&self) -> PartCheckpointer {
        PartCheckpointer { folder: self.clone(), part: MODEL }
    }

    pub(crate) fn optimizer(&self) -> PartCheckpointer {
        PartCheckpointer { folder: self.clone(), part: OPTIMIZER }
    }

    pub(crate) fn schedule(&self) -> PartCheckpointer {
        PartCheckpointer { folder: self.clone(), part: SCHEDULE }
    }

    pub(crate) fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{PREFIX}{epoch:04}"))
    }

    fn unfinished(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!(".{PREFIX}{epoch:04}.part"))
    }

    /// The latest complete checkpoint's epoch.
    pub(crate) fn latest(&self) -> Result<Option<usize>, TrainError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::io("read", &self.folder)(error)),
        };
        let mut latest = None;
        for entry in entries {
            let entry = entry.map_err(TrainError::io("read", &self.folder))?;
            let name = entry.file_name();
            let epoch = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            latest = latest.max(epoch);
        }
        Ok(latest)
    }

    /// Loads a checkpoint into a model, an optimiser and a schedule of the same kind.
    pub(crate) fn load<M: Module>(
        &self,
        epoch: usize,
        state: (M, ModuleOptimizer, WarmupCosine),
    ) -> Result<(M, ModuleOptimizer, WarmupCosine), TrainError> {
        let path = self.path(epoch);
        let error = |part: &str, reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason: format!("{part}: {reason}"),
        };
        let parts = self.read(epoch)?;
        let (model, optimizer, mut schedule) = state;
        let record =
            ModuleRecord::from_bytes(parts.model).map_err(|e| error(MODEL, e.to_string()))?;
        let model = model.try_load_record(record).map_err(|e| error(MODEL, e.to_string()))?;
        let record = OptimizerRecord::from_bytes(parts.optimizer)
            .map_err(|e| error(OPTIMIZER, e.to_string()))?;
        let optimizer = optimizer.load_record(record);
        let record = LrSchedulerRecord::from_bytes(parts.schedule)
            .map_err(|e| error(SCHEDULE, e.to_string()))?;
        schedule.load_record(record);
        Ok((model, optimizer, schedule))
    }

    /// Reads the parts of a checkpoint and compares their checksums with the manifest.
    fn read(&self, epoch: usize) -> Result<Parts, TrainError> {
        let path = self.path(epoch);
        let error = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let read = |name: &str| {
            std::fs::read(path.join(name)).map_err(|source| error(format!("{name}: {source}")))
        };
        let manifest: Manifest = serde_json::from_slice(&read(MANIFEST)?)
            .map_err(|source| error(format!("{MANIFEST}: {source}")))?;
        if manifest.format != FORMAT {
            let found = manifest.format;
            return Err(error(format!("{MANIFEST}: expected format {FORMAT}, found {found}")));
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
        Ok(Parts { model: part(MODEL)?, optimizer: part(OPTIMIZER)?, schedule: part(SCHEDULE)? })
    }

    /// Notes that a part is on the disk, and gives the checkpoint its name after the last one.
    fn part_written(&self, epoch: usize, part: &str, checksum: String) -> std::io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = written.entry(epoch).or_default();
        parts.insert(part.to_owned(), checksum);
        if PARTS.iter().any(|&part| !parts.contains_key(part)) {
            return Ok(());
        }
        let manifest =
            Manifest { format: FORMAT, parts: written.remove(&epoch).unwrap_or_default() };
        let unfinished = self.unfinished(epoch);
        write_synced(&unfinished.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
        let named = self.path(epoch);
        if named.exists() {
            std::fs::remove_dir_all(&named)?;
        }
        std::fs::rename(unfinished, named)?;
        File::open(&self.folder)?.sync_all()
    }
}

/// The contents of a checkpoint's files.
struct Parts {
    model: Bytes,
    optimizer: Bytes,
    schedule: Bytes,
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Saves one part of each checkpoint.
pub(crate) struct PartCheckpointer {
    folder: CheckpointFolder,
    part: &'static str,
}

impl<R: Checkpoint> Checkpointer<R> for PartCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let unfinished = self.folder.unfinished(epoch);
        let write = |bytes: &[u8]| -> std::io::Result<()> {
            std::fs::create_dir_all(&unfinished)?;
            write_synced(&unfinished.join(self.part), bytes)?;
            self.folder.part_written(epoch, self.part, checksum(bytes))
        };
        let bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record)?;
        write(&bytes).map_err(CheckpointerError::IOError)
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        // All three parts are told to delete the checkpoint; one of them does.
        if self.part != SCHEDULE {
            return Ok(());
        }
        match std::fs::remove_dir_all(self.folder.path(epoch)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.folder.path(epoch).join(self.part))
    }
}
