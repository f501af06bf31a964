//! Checkpoints that are whole or not there.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

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
/// which takes its name when the last of them is on the disk: a folder with a name is complete.
#[derive(Clone)]
pub(crate) struct CheckpointFolder {
    folder: PathBuf,
    written: Arc<Mutex<BTreeSet<(usize, &'static str)>>>,
}

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
        let (model, optimizer, mut schedule) = state;
        let record =
            ModuleRecord::load(path.join(MODEL)).map_err(|e| error(MODEL, e.to_string()))?;
        let model = model.try_load_record(record).map_err(|e| error(MODEL, e.to_string()))?;
        let record = OptimizerRecord::load(path.join(OPTIMIZER))
            .map_err(|e| error(OPTIMIZER, e.to_string()))?;
        let optimizer = optimizer.load_record(record);
        let record = LrSchedulerRecord::load(path.join(SCHEDULE))
            .map_err(|e| error(SCHEDULE, e.to_string()))?;
        schedule.load_record(record);
        Ok((model, optimizer, schedule))
    }

    /// Notes that a part is on the disk, and gives the checkpoint its name after the last one.
    fn part_written(&self, epoch: usize, part: &'static str) -> std::io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert((epoch, part));
        if PARTS.iter().all(|&part| written.contains(&(epoch, part))) {
            written.retain(|&(of, _)| of != epoch);
            let named = self.path(epoch);
            if named.exists() {
                std::fs::remove_dir_all(&named)?;
            }
            std::fs::rename(self.unfinished(epoch), named)?;
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }
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
            let path = unfinished.join(self.part);
            std::fs::write(&path, bytes)?;
            File::open(&path)?.sync_all()?;
            self.folder.part_written(epoch, self.part)
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
