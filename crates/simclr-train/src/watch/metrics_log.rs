//! `metrics.jsonl`: what happened, one JSON object a line.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use simclr_data::replace_file;

use crate::engine::step_figures::StepFigures;
use crate::error::TrainError;
use crate::watch::representation::Representation;
use crate::watch::tensorboard::TensorBoardLog;

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
        /// Share of the anchors whose partner is the nearest of all 2n - 1 other views, in 0..=1.
        contrastive_top1: f64,
        /// Share of the anchors whose partner is among the five nearest.
        contrastive_top5: f64,
        /// Images (not views) learnt from in a second.
        images_per_second: f64,
        /// Share of the step's time that was spent waiting for views, in 0..=1.
        waiting_share: f64,
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
        /// Share of the training's time that was spent waiting for views; `None` in epoch 0.
        waiting_share: Option<f64>,
        /// The mean of the steps' contrastive top-1; `None` in epoch 0.
        contrastive_top1: Option<f64>,
        /// The shape of the representation in the last batch; `None` in epoch 0.
        representation: Option<Representation>,
    },
    /// Something the user should know.
    Warning {
        /// The epoch it was noticed after.
        epoch: usize,
        /// What it is, in plain words.
        text: String,
    },
}

impl MetricsLine {
    /// The line of epoch 0.
    pub(crate) fn before_training(knn_top1: Option<f64>) -> Self {
        Self::Epoch {
            epoch: 0,
            loss: None,
            knn_top1,
            images_per_second: None,
            waiting_share: None,
            contrastive_top1: None,
            representation: None,
        }
    }

    fn epoch(&self) -> usize {
        let (Self::Step { epoch, .. } | Self::Epoch { epoch, .. } | Self::Warning { epoch, .. }) =
            self;
        *epoch
    }
}

impl From<&StepFigures> for MetricsLine {
    fn from(figures: &StepFigures) -> Self {
        Self::Step {
            epoch: figures.epoch,
            step: figures.step,
            loss: figures.loss.is_finite().then_some(figures.loss),
            learning_rate: figures.learning_rate,
            contrastive_top1: figures.contrastive_top1,
            contrastive_top5: figures.contrastive_top5,
            images_per_second: figures.images_per_second,
            waiting_share: figures.waiting_share,
        }
    }
}

/// What was logged so far: with a file, or in memory alone.
#[derive(Default)]
pub(crate) struct MetricsLog {
    file: Option<(PathBuf, File)>,
    tensorboard: Option<TensorBoardLog>,
    epochs: Vec<MetricsLine>,
}

impl MetricsLog {
    /// Starts the file, or continues it after epoch `after`: what a stopped run wrote beyond its last
    /// checkpoint is dropped, as those steps will be done again.
    ///
    /// `tensorboard` gets the same as event files.
    pub(crate) fn open(
        path: &Path,
        tensorboard: &Path,
        after: Option<usize>,
    ) -> Result<Self, TrainError> {
        let mut lines = after.map_or(Ok(Vec::new()), |_| read_metrics(path))?;
        lines.retain(|line| Some(line.epoch()) <= after);
        let text: String = lines.iter().map(json_line).collect();
        replace_file(path, |file| file.write_all(text.as_bytes()))
            .map_err(TrainError::io("write", path))?;

        let file =
            OpenOptions::new().append(true).open(path).map_err(TrainError::io("open", path))?;
        let tensorboard = Some(TensorBoardLog::open(tensorboard, &lines)?);
        lines.retain(|line| matches!(line, MetricsLine::Epoch { .. }));
        Ok(Self { file: Some((path.to_owned(), file)), tensorboard, epochs: lines })
    }

    pub(crate) fn append(&mut self, line: &MetricsLine) -> Result<(), TrainError> {
        if let Some((path, file)) = &mut self.file {
            file.write_all(json_line(line).as_bytes()).map_err(TrainError::io("write", path))?;
        }
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.append(line)?;
        }
        if matches!(line, MetricsLine::Epoch { .. }) {
            self.epochs.push(line.clone());
        }
        Ok(())
    }

    /// The epochs' lines in order.
    pub(crate) fn epochs(&self) -> &[MetricsLine] {
        &self.epochs
    }

    /// The trained epoch with the highest kNN top-1, the latest of equals; `None` without labels.
    pub(crate) fn best_epoch(&self) -> Option<usize> {
        let knn = self.epochs.iter().filter_map(|line| match line {
            MetricsLine::Epoch { epoch: 1.., knn_top1: Some(knn), .. } => {
                Some((*knn, line.epoch()))
            }
            _ => None,
        });
        knn.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, epoch)| epoch)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize) -> MetricsLine {
        with_knn(epoch, None)
    }

    fn with_knn(epoch: usize, knn_top1: Option<f64>) -> MetricsLine {
        MetricsLine::Epoch {
            epoch,
            loss: Some(1.5),
            knn_top1,
            images_per_second: Some(2.0),
            waiting_share: Some(0.1),
            contrastive_top1: Some(0.2),
            representation: None,
        }
    }

    #[test]
    fn the_best_epoch_is_a_trained_one_and_the_latest_of_equals() {
        let mut log = MetricsLog::default();
        assert_eq!(log.best_epoch(), None);
        for (number, knn) in [0.9, 0.3, 0.5, 0.5, 0.4].into_iter().enumerate() {
            log.append(&with_knn(number, Some(knn))).unwrap();
        }
        assert_eq!(log.best_epoch(), Some(3));
    }

    #[test]
    fn a_continued_log_forgets_what_came_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path, &folder.path().join("tensorboard"), None).unwrap();
        for number in 0..4 {
            log.append(&epoch(number)).unwrap();
        }
        let mut continued =
            MetricsLog::open(&path, &folder.path().join("tensorboard"), Some(2)).unwrap();
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
