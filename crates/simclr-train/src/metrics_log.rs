//! `metrics.jsonl`: what happened, one JSON object a line.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// One line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricsLine {
    /// A training step.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The batch's loss; `None` if it is not a finite number.
        loss: Option<f64>,
        /// The learning rate of the step.
        learning_rate: f64,
    },
    /// The end of an epoch; epoch 0 is before training.
    Epoch {
        /// The epoch, from 1; 0 is before training.
        epoch: usize,
        /// The mean loss over the epoch's steps; `None` in epoch 0.
        loss: Option<f64>,
        /// Top-1 of the kNN monitor in 0..=1; `None` without labels.
        knn_top1: Option<f64>,
        /// Images (not views) learnt from in a second of training; `None` in epoch 0.
        images_per_second: Option<f64>,
    },
}

impl MetricsLine {
    fn epoch(&self) -> usize {
        let (Self::Step { epoch, .. } | Self::Epoch { epoch, .. }) = self;
        *epoch
    }
}

/// What was logged so far, shared by the training loop (epochs) and the metrics' thread (steps); with
/// a file, or in memory alone.
#[derive(Clone, Default)]
pub(crate) struct MetricsLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    file: Option<(PathBuf, File)>,
    epochs: Vec<MetricsLine>,
}

impl MetricsLog {
    /// Starts the file, or continues it after epoch `after`: what a stopped run wrote beyond its last
    /// checkpoint is dropped, as those steps will be done again.
    pub(crate) fn open(path: &Path, after: Option<usize>) -> Result<Self, TrainError> {
        let mut lines = after.map_or(Ok(Vec::new()), |_| read_metrics(path))?;
        lines.retain(|line| Some(line.epoch()) <= after);
        let partial = path.with_extension("jsonl.part");
        let text: String = lines.iter().map(json_line).collect();
        std::fs::write(&partial, text).map_err(TrainError::io("write", &partial))?;
        std::fs::rename(&partial, path).map_err(TrainError::io("write", path))?;

        let file =
            OpenOptions::new().append(true).open(path).map_err(TrainError::io("open", path))?;
        lines.retain(|line| matches!(line, MetricsLine::Epoch { .. }));
        let inner = Inner { file: Some((path.to_owned(), file)), epochs: lines };
        Ok(Self { inner: Arc::new(Mutex::new(inner)) })
    }

    pub(crate) fn append(&self, line: &MetricsLine) -> Result<(), TrainError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, file)) = &mut inner.file {
            file.write_all(json_line(line).as_bytes()).map_err(TrainError::io("write", path))?;
        }
        if matches!(line, MetricsLine::Epoch { .. }) {
            inner.epochs.push(line.clone());
        }
        Ok(())
    }

    /// The epochs' lines in order.
    pub(crate) fn epochs(&self) -> Vec<MetricsLine> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).epochs.clone()
    }
}

fn json_line(line: &MetricsLine) -> String {
    let json = serde_json::to_string(line).expect("numbers and fixed names are always JSON");
    format!("{json}\n")
}

/// Reads a run's `metrics.jsonl`.
///
/// # Errors
///
/// [`TrainError::Io`] if it cannot be read; [`TrainError::Parse`], which names the line, if a line but
/// the last is none of ours. A last line without an end is the trace of a killed run, and left out.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsLine>, TrainError> {
    let file = File::open(path).map_err(TrainError::io("read", path))?;
    let mut reader = BufReader::new(file);
    let (mut lines, mut text, mut number) = (Vec::new(), String::new(), 0);
    while reader.read_line(&mut text).map_err(TrainError::io("read", path))? > 0 {
        number += 1;
        match serde_json::from_str(&text) {
            Ok(line) => lines.push(line),
            Err(_) if !text.ends_with('\n') => break,
            Err(error) => {
                let reason = format!("line {number}: {error}");
                return Err(TrainError::Parse { path: path.to_owned(), reason });
            }
        }
        text.clear();
    }
    Ok(lines)
}

/// Turns burn-train's metric updates into [`MetricsLine::Step`]s.
pub(crate) struct StepLogger {
    log: MetricsLog,
    loss: Option<MetricId>,
    learning_rate: Option<MetricId>,
    epoch: usize,
    step: usize,
}

impl StepLogger {
    pub(crate) fn new(log: MetricsLog) -> Self {
        Self { log, loss: None, learning_rate: None, epoch: 0, step: 0 }
    }
}

/// The names that burn-train gives its metrics.
pub(crate) const LOSS_METRIC: &str = "Loss";
pub(crate) const LEARNING_RATE_METRIC: &str = "Learning Rate";

impl MetricLogger for StepLogger {
    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        match definition.name.as_str() {
            LOSS_METRIC => self.loss = Some(definition.metric_id),
            LEARNING_RATE_METRIC => self.learning_rate = Some(definition.metric_id),
            _ => {}
        }
    }

    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let value_of = |id: &Option<MetricId>| {
            let update =
                update.entries_numeric.iter().find(|u| Some(&u.entry.metric_id) == id.as_ref())?;
            match update.numeric_entry {
                // An epoch's own figure comes with its end, and is the loop's to write.
                None | Some(NumericEntry::Final(_)) => None,
                Some(ref entry) => Some(entry.current()),
            }
        };
        let (Split::Train, Some(loss), Some(learning_rate)) =
            (split, value_of(&self.loss), value_of(&self.learning_rate))
        else {
            return;
        };
        self.step = if epoch == self.epoch { self.step + 1 } else { 1 };
        self.epoch = epoch;
        let loss = loss.is_finite().then_some(loss);
        let line = MetricsLine::Step { epoch, step: self.step, loss, learning_rate };
        if let Err(error) = self.log.append(&line) {
            // The loop writes to the same file after the epoch, and stops there with the error.
            eprintln!("{error}");
        }
    }

    fn read_numeric(
        &mut self,
        _name: &str,
        _epoch: usize,
        _split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new()) // Only asked for early stopping and summaries, which are not used.
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize) -> MetricsLine {
        MetricsLine::Epoch { epoch, loss: Some(1.5), knn_top1: None, images_per_second: Some(2.0) }
    }

    #[test]
    fn a_continued_log_forgets_what_came_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let log = MetricsLog::open(&path, None).unwrap();
        for number in 0..4 {
            log.append(&epoch(number)).unwrap();
        }
        let continued = MetricsLog::open(&path, Some(2)).unwrap();
        continued.append(&epoch(3)).unwrap();
        assert_eq!(continued.epochs(), [0, 1, 2, 3].map(epoch));
        assert_eq!(read_metrics(&path).unwrap(), [0, 1, 2, 3].map(epoch));
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, format!("{}{{\"event\":\"ep", json_line(&epoch(1)))).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), [epoch(1)]);
        std::fs::write(&path, format!("{}nonsense\n", json_line(&epoch(1)))).unwrap();
        let message = read_metrics(&path).unwrap_err().to_string();
        assert!(message.contains("metrics.jsonl: line 2"), "{message}");
    }
}
