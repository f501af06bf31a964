//! `metrics.jsonl` of a run, written and read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use simclr_files::{UnfinishedFile, WrittenFile};

use crate::error::TrainError;
use crate::run::position::Position;
use crate::views::view_source::Skipped;
use crate::watch::metrics_line::MetricsLine;
use crate::watch::plateau::contrastive_top1;
use crate::watch::tensorboard::TensorBoardLog;
use crate::watch::thinned::thinned;

/// Longest `metrics.jsonl`, in bytes, beyond which steps leave it: some 70,000 of them. It is looked at after an epoch.
const MOST_BYTES: u64 = 16 << 20;
/// The last epochs keep all their steps, since a run may go on within one of them.
const WHOLE_EPOCHS: usize = 2;

/// The lines of a run so far, in its directory or in memory only.
#[derive(Default)]
pub(crate) struct MetricsLog {
    files: Option<Files>,
    epochs: Vec<MetricsLine>,
    /// The steps of the epoch in which a resumed run was interrupted.
    unfinished_steps: Vec<MetricsLine>,
    /// The examples that were skipped, and why.
    skipped: BTreeMap<usize, String>,
}

/// Takes the lines of a file, one after the other.
type Keep<'a> = dyn FnMut(MetricsLine) -> Result<(), TrainError> + 'a;

/// The files of a log.
struct Files {
    path: PathBuf,
    /// `metrics.jsonl`, and its length in bytes.
    lines: WrittenFile,
    bytes: u64,
    most_bytes: u64,
    tensorboard_folder: PathBuf,
    tensorboard: TensorBoardLog,
}

impl Files {
    /// Files with the lines that `write` appends, in the place of those that may be there.
    fn with(
        path: &Path,
        tensorboard: &Path,
        write: impl FnOnce(&mut Keep<'_>) -> Result<(), TrainError>,
    ) -> Result<Self, TrainError> {
        let failed = |error| TrainError::io("write", path)(error);
        let mut file = UnfinishedFile::beside(path).map_err(failed)?;
        let mut events = TensorBoardLog::open(tensorboard)?;
        let mut bytes = 0;
        let mut writer = BufWriter::new(file.file());
        write(&mut |line| {
            let json = line.json();
            bytes += json.len() as u64;
            writer.write_all(json.as_bytes()).map_err(failed)?;
            events.append(&line)
        })?;
        writer.flush().map_err(failed)?;
        drop(writer);
        file.replace(path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            lines: WrittenFile::open(path, File::options().append(true))
                .map_err(TrainError::io("open", path))?,
            bytes,
            most_bytes: MOST_BYTES,
            tensorboard_folder: tensorboard.to_owned(),
            tensorboard: events,
        })
    }

    fn append(&mut self, line: &MetricsLine) -> Result<(), TrainError> {
        let json = line.json();
        self.lines.write_all(json.as_bytes()).map_err(TrainError::io("write", &self.path))?;
        self.bytes += json.len() as u64;
        self.tensorboard.append(line)?;
        match *line {
            MetricsLine::Epoch { epoch, .. } if self.bytes > self.most_bytes => self.thin(epoch),
            _ => Ok(()),
        }
    }

    /// Leaves steps out, down to half of the most that there may be, so that it happens seldom.
    fn thin(&mut self, epoch: usize) -> Result<(), TrainError> {
        let kept_from = (epoch + 1).saturating_sub(WHOLE_EPOCHS);
        let files = Self::with(&self.path, &self.tensorboard_folder, |keep| {
            thinned(|| Lines::open(&self.path), kept_from, self.most_bytes / 2, keep)
        })?;
        // Where it is not enough, twice as much has to come before the next attempt.
        let most_bytes = self.most_bytes.max(2 * files.bytes);
        *self = Self { most_bytes, ..files };
        Ok(())
    }
}

impl MetricsLog {
    /// Starts `metrics.jsonl` at `path` and event files in the folder `tensorboard`, or continues both at `position`.
    ///
    /// It drops the lines of later steps, since a resumed run does them again.
    pub(crate) fn open(
        path: &Path,
        tensorboard: &Path,
        position: Position,
    ) -> Result<Self, TrainError> {
        let is_new = position == Position::START;
        let mut lines = if is_new { Vec::new() } else { read_metrics(path)? };
        lines.retain(|line| line.is_before(position));
        let files =
            Files::with(path, tensorboard, |keep| lines.iter().cloned().try_for_each(keep))?;
        let mut log = Self { files: Some(files), ..Self::default() };
        for line in lines {
            match line {
                MetricsLine::Epoch { .. } => log.epochs.push(line),
                MetricsLine::Step { epoch, .. } if epoch > position.epochs => {
                    log.unfinished_steps.push(line);
                }
                MetricsLine::Skipped { index, reason, .. } => {
                    log.skipped.insert(index, reason);
                }
                _ => {}
            }
        }
        Ok(log)
    }

    pub(crate) fn append(&mut self, line: &MetricsLine) -> Result<(), TrainError> {
        if let Some(files) = &mut self.files {
            files.append(line)?;
        }
        if matches!(line, MetricsLine::Epoch { .. }) {
            self.epochs.push(line.clone());
        }
        Ok(())
    }

    /// Notes an example that was skipped in `epoch`, if it is the first time.
    pub(crate) fn skip(&mut self, epoch: usize, skipped: Skipped) -> Result<(), TrainError> {
        let Skipped { index, reason } = skipped;
        if self.skipped.contains_key(&index) {
            return Ok(());
        }
        self.append(&MetricsLine::Skipped { epoch, index, reason: reason.clone() })?;
        self.skipped.insert(index, reason);
        Ok(())
    }

    /// The examples that were skipped, each once.
    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        let skipped = self.skipped.iter();
        skipped.map(|(&index, reason)| Skipped { index, reason: reason.clone() }).collect()
    }

    /// The steps of the epoch in which a resumed run was interrupted: once, to go on with it.
    pub(crate) fn take_unfinished_steps(&mut self) -> Vec<MetricsLine> {
        std::mem::take(&mut self.unfinished_steps)
    }

    /// The lines of the epochs, in order.
    pub(crate) fn epochs(&self) -> &[MetricsLine] {
        &self.epochs
    }

    /// The epoch with the highest kNN top-1, the latest of equals; without labels, with the highest contrastive top-1. Epoch 0,
    /// before training, has no checkpoint and doesn't count.
    pub(crate) fn best_epoch(&self) -> Option<usize> {
        let knn = self.epochs.iter().filter_map(|line| match line {
            MetricsLine::Epoch { epoch: epoch @ 1.., knn_top1: Some(knn), .. } => {
                Some((*knn, *epoch))
            }
            _ => None,
        });
        let latest_highest =
            |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let best = knn.max_by(latest_highest);
        let best = best.or_else(|| contrastive_top1(&self.epochs).max_by(latest_highest));
        best.map(|(_, epoch)| epoch)
    }
}

/// Reads a run's `metrics.jsonl`.
///
/// # Errors
///
/// [`TrainError::Io`] if it cannot be read; [`TrainError::Parse`], which names the line, if a line is not in the format
/// of this version. A last line without a line break is not an error: a killed run leaves it, and it is skipped.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsLine>, TrainError> {
    Lines::open(path)?.collect()
}

/// The lines of a file, one after the other.
struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    text: String,
    number: usize,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, TrainError> {
        let file = File::open(path).map_err(TrainError::io("read", path))?;
        let (path, reader) = (path.to_owned(), BufReader::new(file));
        Ok(Self { path, reader, text: String::new(), number: 0 })
    }
}

impl Iterator for Lines {
    type Item = Result<MetricsLine, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.text.clear();
        self.number += 1;
        let read = self.reader.read_line(&mut self.text);
        match read.map_err(TrainError::io("read", &self.path)) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        match serde_json::from_str(&self.text) {
            Ok(line) => Some(Ok(line)),
            Err(_) if !self.text.ends_with('\n') => None,
            Err(error) => {
                let reason = format!("line {}: {error}", self.number);
                Some(Err(TrainError::Parse { path: self.path.clone(), reason }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::metrics_line::step_line as step;

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
            monitor: None,
        }
    }

    #[test]
    fn a_long_log_loses_steps_of_early_epochs_and_counts_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let tensorboard = folder.path().join("tensorboard");
        let open = |position| MetricsLog::open(&path, &tensorboard, position).unwrap();
        let mut log = open(Position::START);
        log.files.as_mut().unwrap().most_bytes = 20_000;
        log.append(&epoch(0)).unwrap();
        for number in 1..=20 {
            for count in 1..=10 {
                log.append(&step(number, count)).unwrap();
            }
            log.append(&epoch(number)).unwrap();
            let length = path.metadata().unwrap().len();
            assert!(length <= 20_000, "after epoch {number}: {length}");
            assert_eq!(length, log.files.as_ref().unwrap().bytes);
        }
        let lines = read_metrics(&path).unwrap();
        let (mut logged, mut steps) = (0, 0);
        for line in &lines {
            if let MetricsLine::Step { left_out, .. } = line {
                (logged, steps) = (logged + 1, steps + 1 + left_out);
            }
        }
        assert!(steps == 200 && logged < 120, "{logged} of {steps}");
        assert!([19, 20].iter().all(|&last| (1..=10).all(|n| lines.contains(&step(last, n)))));
        assert_eq!(log.epochs().len(), 21);
        // Event files go on at the same steps: TensorBoard's x axis.
        let of_long_log = std::fs::read_dir(&tensorboard).unwrap().count();
        assert_eq!(of_long_log, 1);
        let continued = open(Position::after_epoch(20));
        assert_eq!(continued.files.unwrap().tensorboard.step(), 200);
        assert_eq!(log.files.unwrap().tensorboard.step(), 200);
    }

    #[test]
    fn the_best_epoch_is_a_trained_one_and_the_latest_of_equals() {
        let mut log = MetricsLog::default();
        assert_eq!(log.best_epoch(), None);
        for (number, top1) in [0.2, 0.7, 0.6].into_iter().enumerate() {
            let mut line = with_knn(number + 1, None);
            let MetricsLine::Epoch { contrastive_top1, .. } = &mut line else { unreachable!() };
            *contrastive_top1 = Some(top1);
            log.append(&line).unwrap();
        }
        assert_eq!(log.best_epoch(), Some(2), "without labels");
        let mut log = MetricsLog::default();
        for (number, knn) in [0.9, 0.3, 0.5, 0.5, 0.4].into_iter().enumerate() {
            log.append(&with_knn(number, Some(knn))).unwrap();
        }
        assert_eq!(log.best_epoch(), Some(3));
    }

    #[test]
    fn a_continued_log_forgets_what_came_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let open = |position| MetricsLog::open(&path, &folder.path().join("tensorboard"), position);
        let mut log = open(Position::START).unwrap();
        for number in 0..4 {
            log.append(&epoch(number)).unwrap();
        }
        let mut continued = open(Position::after_epoch(2)).unwrap();
        continued.append(&epoch(3)).unwrap();
        assert_eq!(continued.epochs(), [0, 1, 2, 3].map(epoch));
        assert_eq!(read_metrics(&path).unwrap(), [0, 1, 2, 3].map(epoch));
    }

    #[test]
    fn a_log_that_is_continued_within_an_epoch_keeps_its_steps_and_what_was_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let open = |position| MetricsLog::open(&path, &folder.path().join("tensorboard"), position);
        let torn = |reason: &str| Skipped { index: 7, reason: reason.to_owned() };
        let mut log = open(Position::START).unwrap();
        for line in [epoch(0), step(1, 1), epoch(1), step(2, 1)] {
            log.append(&line).unwrap();
        }
        log.skip(2, torn("torn")).unwrap();
        log.skip(2, torn("torn in another way")).unwrap();
        for line in [step(2, 2), step(2, 3)] {
            log.append(&line).unwrap();
        }
        let mut continued = open(Position { epochs: 1, steps: 2 }).unwrap();
        assert_eq!(continued.take_unfinished_steps(), [step(2, 1), step(2, 2)]);
        assert_eq!(continued.take_unfinished_steps(), []);
        assert_eq!(
            (continued.epochs(), continued.skipped()),
            (&[epoch(0), epoch(1)][..], vec![torn("torn")])
        );
        assert_eq!(read_metrics(&path).unwrap().len(), 6);
    }

    #[test]
    fn a_torn_last_line_is_skipped_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, format!("{}{{\"event\":\"ep", epoch(1).json())).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), [epoch(1)]);
        std::fs::write(&path, format!("{}nonsense\n", epoch(1).json())).unwrap();
        let message = read_metrics(&path).unwrap_err().to_string();
        assert!(message.contains("metrics.jsonl: line 2"), "{message}");
    }
}
