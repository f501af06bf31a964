//! Event files for TensorBoard.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use simclr_files::{WrittenFile, create_folders, remove_folder};

use crate::error::TrainError;
use crate::watch::metrics_line::MetricsLine;

/// `tensorboard/` of a run directory: the figures of `metrics.jsonl` in one event file.
///
/// An event file is a row of records: the length of an `Event` message and its checksum, then the message in protocol
/// buffers' wire format and its checksum (tensorflow's `record_writer.cc` and `event.proto`).
pub(crate) struct TensorBoardLog {
    path: PathBuf,
    file: WrittenFile,
    /// The number of steps so far, TensorBoard's x axis.
    step: u64,
}

impl TensorBoardLog {
    /// Empties the folder and starts a file, which takes the lines that the run keeps. A file cannot be continued: a
    /// resumed run does some steps again, and TensorBoard would show them twice.
    pub(crate) fn open(folder: &Path) -> Result<Self, TrainError> {
        match remove_folder(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(TrainError::io("empty", folder)(error));
            }
            _ => create_folders(folder).map_err(TrainError::io("create", folder))?,
        }
        let path = folder.join(format!("events.out.tfevents.{:010}.simclr", now() as u64));
        let file = WrittenFile::create(&path).map_err(TrainError::io("create", &path))?;
        let mut log = Self { path, file, step: 0 };
        log.write_record(&event(now(), 0, &Message::new().bytes(3, b"brain.Event:2")))?;
        Ok(log)
    }

    pub(crate) fn append(&mut self, line: &MetricsLine) -> Result<(), TrainError> {
        if let MetricsLine::Step { left_out, .. } = line {
            self.step += 1 + *left_out as u64;
        }
        let scalars = scalars(line);
        if scalars.is_empty() {
            return Ok(());
        }
        let mut summary = Message::new();
        for (tag, scalar) in scalars {
            let value = Message::new().bytes(1, tag.as_bytes()).float(2, scalar as f32);
            summary = summary.bytes(1, &value.0);
        }
        self.write_record(&event(now(), self.step, &Message::new().bytes(5, &summary.0)))
    }

    /// The number of steps so far.
    #[cfg(test)]
    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    fn write_record(&mut self, event: &[u8]) -> Result<(), TrainError> {
        let length = (event.len() as u64).to_le_bytes();
        let record = [&length, &masked_crc(&length)[..], event, &masked_crc(event)[..]].concat();
        self.file.write_all(&record).map_err(TrainError::io("write", &self.path))
    }
}

/// The figures of a line by their TensorBoard names, without absent ones.
fn scalars(line: &MetricsLine) -> Vec<(&'static str, f64)> {
    let all = match line {
        MetricsLine::Step {
            loss,
            learning_rate,
            contrastive_top1,
            contrastive_top5,
            images_per_second,
            waiting_share,
            chunks_ready,
            loss_scale,
            ..
        } => vec![
            ("step/loss", *loss),
            ("step/learning_rate", Some(*learning_rate)),
            ("step/contrastive_top1", Some(*contrastive_top1)),
            ("step/contrastive_top5", Some(*contrastive_top5)),
            ("step/images_per_second", Some(*images_per_second)),
            ("step/waiting_share", Some(*waiting_share)),
            ("step/chunks_ready", Some(*chunks_ready as f64)),
            ("step/loss_scale", *loss_scale),
        ],
        MetricsLine::Epoch { loss, knn_top1, representation, monitor, .. } => {
            let shape = representation.as_ref();
            let seen = monitor.as_ref();
            let features = seen.and_then(|figures| figures.monitored?.shape);
            vec![
                ("epoch/loss", *loss),
                ("epoch/knn_top1", *knn_top1),
                ("epoch/alignment", shape.map(|r| r.alignment)),
                ("epoch/uniformity", shape.map(|r| r.uniformity)),
                ("epoch/effective_rank_h", shape.map(|r| r.effective_rank_h)),
                ("epoch/effective_rank_z", shape.map(|r| r.effective_rank_z)),
                ("epoch/standard_deviation", shape.map(|r| r.standard_deviation)),
                ("monitor/seconds", seen.map(|figures| figures.seconds)),
                ("monitor/effective_rank", features.map(|shape| shape.effective_rank)),
                ("monitor/uniformity", features.map(|shape| shape.uniformity)),
                ("monitor/standard_deviation", features.map(|shape| shape.standard_deviation)),
            ]
        }
        MetricsLine::Skipped { .. } | MetricsLine::Warning { .. } => Vec::new(),
    };
    all.into_iter().filter_map(|(tag, value)| Some((tag, value?))).collect()
}

/// An `Event` message: time, step, and the field `what`.
fn event(seconds: f64, step: u64, what: &Message) -> Vec<u8> {
    [Message::new().double(1, seconds).varint(2, step).0, what.0.clone()].concat()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The CRC-32C that `record_writer.cc` writes, masked so that a file of records can itself be checksummed.
fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c::crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The fields of a message in protocol buffers' wire format.
struct Message(Vec<u8>);

impl Message {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn varint(mut self, field: u8, value: u64) -> Self {
        self.0.push(field << 3);
        self.raw_varint(value)
    }

    fn double(mut self, field: u8, value: f64) -> Self {
        self.0.push(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u8, value: &[u8]) -> Self {
        self.0.push(field << 3 | 2);
        self = self.raw_varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn float(mut self, field: u8, value: f32) -> Self {
        self.0.push(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn raw_varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_in_the_specification() {
        // The specification's examples: field 1 is 150; field 2 is "testing".
        assert_eq!(Message::new().varint(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().bytes(2, b"testing").0, b"\x12\x07testing");
    }

    #[test]
    fn the_checksum_is_that_of_tensorflow() {
        // The result of tensorboard's `masked_crc32c` for the length of a version record, 24 bytes.
        let length = 24_u64.to_le_bytes();
        assert_eq!(masked_crc(&length), 0x224b_7fa3_u32.to_le_bytes());
    }
}
