//! STL-10 in its official binary layout.

mod folds;

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::RgbImage;

use super::{mapped_file::MappedFile, planes, text_file};
use crate::{DataError, ImageDataset};

/// Side of an image in pixels.
const SIDE: usize = 96;
/// Bytes of an image: three channels.
const RECORD: usize = 3 * SIDE * SIDE;
/// The classes in the order of the official `class_names.txt`.
const CLASS_NAMES: [&str; 10] =
    ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

/// A part of STL-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stl10Split {
    /// 5,000 labelled images for training.
    Train,
    /// 8,000 labelled images for testing.
    Test,
    /// 100,000 images without labels, of these and other classes.
    Unlabeled,
}

impl Stl10Split {
    /// Name of the file with the images, such as `train_X.bin`.
    #[must_use]
    pub fn images_file(self) -> &'static str {
        match self {
            Self::Train => "train_X.bin",
            Self::Test => "test_X.bin",
            Self::Unlabeled => "unlabeled_X.bin",
        }
    }

    /// Name of the file with the labels; the unlabelled split has none.
    #[must_use]
    pub fn labels_file(self) -> Option<&'static str> {
        match self {
            Self::Train => Some("train_y.bin"),
            Self::Test => Some("test_y.bin"),
            Self::Unlabeled => None,
        }
    }
}

/// One split of STL-10 (Coates, Ng and Lee, 2011): 96x96 RGB images of ten classes.
///
/// Reads the official binary files. `train_X.bin`, `test_X.bin` and `unlabeled_X.bin` hold the images as three channels
/// each, stored column by column; `train_y.bin` and `test_y.bin` hold labels 1..=10, which become 0..=9. A file may
/// hold any number of images, so subsets are legal. Class names come from `class_names.txt`, if that file exists.
///
/// The images are mapped into memory, and opening does not read them. The files must not be changed or truncated while
/// they are open: on most systems, reading past the new end kills the process.
///
/// ```
/// use simclr_data::{ImageDataset, Stl10, Stl10Split};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// // Two images, the second a truck; the official files come from `Stl10::download`.
/// std::fs::write(dir.join("train_X.bin"), vec![0; 2 * 3 * 96 * 96])?;
/// std::fs::write(dir.join("train_y.bin"), [2, 10])?;
///
/// let train = Stl10::open(dir, Stl10Split::Train)?;
/// assert_eq!(train.len(), 2);
/// assert_eq!(train.label(1), Some(9));
/// assert_eq!(train.class_names()[9], "truck");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Stl10 {
    images: MappedFile,
    /// 0..=9; empty for the unlabelled split.
    labels: Vec<u8>,
    class_names: Vec<String>,
}

impl Stl10 {
    /// Opens one split in the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if the split's images or labels do not exist; [`DataError::EmptyFile`] or
    /// [`DataError::RecordSize`] for a file that does not consist of whole images; [`DataError::LabelCount`] if there
    /// are more or fewer labels than images; [`DataError::LabelOutOfRange`] for a label outside 1..=10;
    /// [`DataError::ClassCount`] unless `class_names.txt` holds ten names.
    pub fn open(dir: impl AsRef<Path>, split: Stl10Split) -> Result<Self, DataError> {
        let dir = dir.as_ref();
        let images = open_images(dir, split)?;
        let Some(labels_file) = split.labels_file() else {
            return Ok(Self { images, labels: Vec::new(), class_names: Vec::new() });
        };
        let labels = read_labels(dir.join(labels_file), images.len())?;
        let class_names = text_file::class_names(&dir.join("class_names.txt"), &CLASS_NAMES)?;
        Ok(Self { images, labels, class_names })
    }
}

impl ImageDataset for Stl10 {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let record = self.images.record(index)?;
        Ok(planes::to_image(record, SIDE, |row, column| column * SIDE + row))
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(index).map(|&label| usize::from(label))
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }
}

fn open_images(dir: &Path, split: Stl10Split) -> Result<MappedFile, DataError> {
    MappedFile::open(dir.join(split.images_file()), RECORD, "images of STL-10")
}

/// Reads exactly `images` labels of one byte, 1..=10, as 0..=9.
fn read_labels(path: PathBuf, images: usize) -> Result<Vec<u8>, DataError> {
    let expected = "labels of STL-10";
    let found =
        fs::metadata(&path).map_err(|source| DataError::from_io(&path, expected, source))?.len();
    // Before reading, so that a huge file is refused unread.
    if found != images as u64 {
        return Err(DataError::LabelCount { path, images, found });
    }
    let mut labels =
        fs::read(&path).map_err(|source| DataError::from_io(&path, expected, source))?;
    for (position, label) in labels.iter_mut().enumerate() {
        if !(1..=10).contains(label) {
            return Err(DataError::LabelOutOfRange {
                path,
                position,
                first: 1,
                last: 10,
                found: *label,
            });
        }
        *label -= 1;
    }
    Ok(labels)
}

#[cfg(test)]
mod tests;
