//! CIFAR-10 in its binary layout.

use std::path::Path;

use image::RgbImage;

use super::{mapped_file::MappedFile, planes, text_file};
use crate::{DataError, ImageDataset, derived::locate};

/// Side of an image in pixels.
const SIDE: usize = 32;
/// Bytes of an image: its label and three channels.
const RECORD: usize = 1 + 3 * SIDE * SIDE;
const TRAIN_FILES: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST_FILES: [&str; 1] = ["test_batch.bin"];
/// The classes in the order of the official `batches.meta.txt`.
const CLASS_NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// A part of CIFAR-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cifar10Split {
    /// 50,000 images in `data_batch_1.bin` to `data_batch_5.bin`.
    Train,
    /// 10,000 images in `test_batch.bin`.
    Test,
}

impl Cifar10Split {
    /// Names of the split's files, in order. A folder may lack some of them.
    #[must_use]
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Train => &TRAIN_FILES,
            Self::Test => &TEST_FILES,
        }
    }
}

/// One split of CIFAR-10 (Krizhevsky, 2009): 32x32 RGB images of ten classes.
///
/// Reads the "binary version": records of one label byte, 0..=9, and three channels, each stored row by row. The
/// training split has five files. Some of them may be missing, and each may hold any number of images, so subsets are
/// legal. Class names come from `batches.meta.txt`, if that file exists.
///
/// The files are mapped into memory, and opening reads only their labels. They must not be changed or truncated while
/// they are open: on most systems, reading past the new end kills the process.
///
/// ```
/// use simclr_data::{Cifar10, Cifar10Split, ImageDataset};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// // A black frog.
/// let mut record = vec![0; 1 + 3 * 32 * 32];
/// record[0] = 6;
/// std::fs::write(dir.join("data_batch_1.bin"), record)?;
///
/// let train = Cifar10::open(dir, Cifar10Split::Train)?;
/// assert_eq!(train.len(), 1);
/// assert_eq!(train.class_names()[train.label(0).unwrap()], "frog");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Cifar10 {
    files: Vec<MappedFile>,
    labels: Vec<u8>,
    class_names: Vec<String>,
}

impl Cifar10 {
    /// Opens one split in the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if none of the split's files exists; [`DataError::EmptyFile`] or
    /// [`DataError::RecordSize`] for a file that does not consist of whole records; [`DataError::LabelOutOfRange`] for
    /// a label outside 0..=9; [`DataError::ClassCount`] unless `batches.meta.txt` holds ten names.
    pub fn open(dir: impl AsRef<Path>, split: Cifar10Split) -> Result<Self, DataError> {
        let dir = dir.as_ref();
        let expected = "images of CIFAR-10";
        let mut files = Vec::new();
        let mut labels = Vec::new();
        for name in split.files() {
            match MappedFile::open(dir.join(name), RECORD, expected) {
                Ok(file) => {
                    read_labels(&file, &mut labels)?;
                    files.push(file);
                }
                Err(DataError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if files.is_empty() {
            return Err(DataError::Missing { path: dir.join(split.files()[0]), expected });
        }
        let class_names = text_file::class_names(&dir.join("batches.meta.txt"), &CLASS_NAMES)?;
        Ok(Self { files, labels, class_names })
    }

    /// The file that holds the image at `index`, and the image's index there.
    fn locate(&self, index: usize) -> Result<(&MappedFile, usize), DataError> {
        let (file, local) = locate(index, self.files.iter().map(MappedFile::len))?;
        Ok((&self.files[file], local))
    }
}

impl ImageDataset for Cifar10 {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let (file, local) = self.locate(index)?;
        let record = file.record(local)?;
        Ok(planes::to_image(&record[1..], SIDE, |row, column| row * SIDE + column))
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(index).map(|&label| usize::from(label))
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.locate(index).map_or_else(|_| format!("[{index}]"), |(file, local)| file.name(local))
    }
}

/// Appends the labels of `file`, each in 0..=9, to `labels`.
fn read_labels(file: &MappedFile, labels: &mut Vec<u8>) -> Result<(), DataError> {
    for position in 0..file.len() {
        let found = file.record(position)?[0];
        if found > 9 {
            let path = file.path().to_owned();
            return Err(DataError::LabelOutOfRange { path, position, first: 0, last: 9, found });
        }
        labels.push(found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Writes a file of one image per label. The top right corner of each is red.
    fn write_batch(dir: &Path, name: &str, labels: &[u8]) {
        let mut bytes = Vec::new();
        for &label in labels {
            let mut record = vec![7; RECORD];
            record[0] = label;
            record[SIDE] = 255;
            bytes.extend(record);
        }
        fs::write(dir.join(name), bytes).unwrap();
    }

    #[test]
    fn channels_are_read_row_by_row_from_the_files_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        write_batch(dir.path(), "data_batch_1.bin", &[1, 2]);
        write_batch(dir.path(), "data_batch_4.bin", &[3]);
        let train = Cifar10::open(dir.path(), Cifar10Split::Train).unwrap();
        assert_eq!((train.len(), train.label(2), train.label(3)), (3, Some(3), None));
        assert_eq!(train.name(2), "data_batch_4.bin[0]");
        let image = train.image(2).unwrap();
        assert_eq!(image.get_pixel(31, 0).0, [255, 7, 7]);
        assert_eq!(image.get_pixel(0, 31).0, [7, 7, 7]);
        assert!(matches!(train.image(3), Err(DataError::IndexOutOfRange { index: 3, len: 3 })));
    }

    #[test]
    fn without_any_batch_the_error_names_the_first_one() {
        let dir = tempfile::tempdir().unwrap();
        let message = Cifar10::open(dir.path(), Cifar10Split::Train).unwrap_err().to_string();
        assert!(message.ends_with("data_batch_1.bin, found nothing"), "{message}");
    }

    #[test]
    fn a_truncated_batch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("test_batch.bin"), vec![0; RECORD - 1]).unwrap();
        let error = Cifar10::open(dir.path(), Cifar10Split::Test).unwrap_err();
        assert!(matches!(error, DataError::RecordSize { record: 3073, found: 3072, .. }));
    }

    #[test]
    fn a_label_out_of_range_is_named_with_its_position() {
        let dir = tempfile::tempdir().unwrap();
        write_batch(dir.path(), "test_batch.bin", &[9, 10]);
        let message = Cifar10::open(dir.path(), Cifar10Split::Test).unwrap_err().to_string();
        assert!(message.starts_with("expected a label in 0..=9 at position 1 of"), "{message}");
        assert!(message.ends_with("found 10"), "{message}");
    }
}
