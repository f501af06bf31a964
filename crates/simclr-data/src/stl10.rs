//! STL-10 in its official binary layout.

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::RgbImage;

use crate::{DataError, ImageDataset, mapped_file::MappedFile, planes, text_file};

/// Side of an STL-10 image in pixels.
const SIDE: usize = 96;
/// Bytes of an image: three channels.
const RECORD: usize = 3 * SIDE * SIDE;
/// Number of lines of `fold_indices.txt`.
const FOLDS: usize = 10;
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
    /// 100,000 images without labels, of these and of other classes.
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
/// Reads the official binary files: `train_X.bin`, `test_X.bin` and `unlabeled_X.bin` hold the images, each as three
/// channels whose pixels go down the columns; `train_y.bin` and `test_y.bin` hold labels 1..=10, which become 0..=9.
/// A file's length tells how many images it holds, so subsets are legal. Class names come from `class_names.txt` if
/// there is one.
///
/// The images are mapped into memory, not read, so opening costs nothing. The files must not be changed or cut off
/// while they are open: on most systems reading past the new end stops the process.
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
    /// [`DataError::Missing`], [`DataError::EmptyFile`], [`DataError::RecordSize`] for the images,
    /// [`DataError::LabelCount`] if images and labels differ in number, [`DataError::LabelOutOfRange`] for a label
    /// outside 1..=10, [`DataError::ClassCount`] if `class_names.txt` has not ten names.
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

    /// The ten predefined folds of the training split, as indices into it, from `fold_indices.txt` in `dir`.
    ///
    /// The official protocol trains on each fold (1,000 images) in turn, tests on the whole test split, and reports
    /// the mean accuracy.
    ///
    /// # Errors
    ///
    /// [`DataError::FoldCount`] unless there are ten lines, [`DataError::FoldIndex`] for anything on them that is not
    /// an index of a training image; the errors of [`open`](Self::open) for the training images themselves.
    pub fn folds(dir: impl AsRef<Path>) -> Result<Vec<Vec<usize>>, DataError> {
        let dir = dir.as_ref();
        let images = open_images(dir, Stl10Split::Train)?.len();
        let path = dir.join("fold_indices.txt");
        let text = text_file::read(&path, "fold indices of STL-10")?;
        let mut folds = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let index_of = |word: &str| match word.parse() {
                Ok(index) if index < images => Ok(index),
                _ => Err(DataError::FoldIndex {
                    path: path.clone(),
                    line: number + 1,
                    images,
                    found: word.into(),
                }),
            };
            folds.push(line.split_whitespace().map(index_of).collect::<Result<_, _>>()?);
        }
        if folds.len() != FOLDS {
            return Err(DataError::FoldCount { path, expected: FOLDS, found: folds.len() });
        }
        Ok(folds)
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

/// Labels 1..=10 as 0..=9, one byte each, exactly `images` of them.
fn read_labels(path: PathBuf, images: usize) -> Result<Vec<u8>, DataError> {
    let expected = "labels of STL-10";
    let found =
        fs::metadata(&path).map_err(|source| DataError::from_io(&path, expected, source))?.len();
    // Checked before reading, so that a huge file is not read.
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
mod tests {
    use super::*;

    /// A training split of `labels.len()` images; image i is i everywhere but for a red top right corner.
    fn write_train(dir: &Path, labels: &[u8]) {
        let mut bytes = Vec::new();
        for i in 0..labels.len() {
            let mut image = vec![i as u8; RECORD];
            image[(SIDE - 1) * SIDE] = 255;
            bytes.extend(image);
        }
        fs::write(dir.join("train_X.bin"), bytes).unwrap();
        fs::write(dir.join("train_y.bin"), labels).unwrap();
    }

    fn message(dir: &Path) -> String {
        Stl10::open(dir, Stl10Split::Train).unwrap_err().to_string()
    }

    #[test]
    fn channels_are_read_column_by_column() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1, 10]);
        let train = Stl10::open(dir.path(), Stl10Split::Train).unwrap();
        let image = train.image(1).unwrap();
        assert_eq!(image.dimensions(), (96, 96));
        assert_eq!(image.get_pixel(95, 0).0, [255, 1, 1]);
        assert_eq!(image.get_pixel(0, 95).0, [1, 1, 1]);
        assert_eq!(train.name(1), "train_X.bin[1]");
    }

    #[test]
    fn labels_from_one_become_labels_from_zero() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1, 10]);
        let train = Stl10::open(dir.path(), Stl10Split::Train).unwrap();
        assert_eq!((train.label(0), train.label(1), train.label(2)), (Some(0), Some(9), None));
    }

    #[test]
    fn the_unlabelled_split_has_no_labels_at_all() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("unlabeled_X.bin"), vec![0; RECORD]).unwrap();
        let unlabeled = Stl10::open(dir.path(), Stl10Split::Unlabeled).unwrap();
        assert_eq!(
            (unlabeled.len(), unlabeled.label(0), unlabeled.class_names().len()),
            (1, None, 0)
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(message(dir.path()).ends_with("train_X.bin, found nothing"));
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("train_X.bin"), vec![0; RECORD + 100]).unwrap();
        assert!(
            message(dir.path())
                .ends_with("train_X.bin to be a multiple of 27648 bytes, found 27748 bytes")
        );
    }

    #[test]
    fn an_empty_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[]);
        assert!(message(dir.path()).ends_with("found an empty file"));
    }

    #[test]
    fn more_labels_than_images_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1]);
        fs::write(dir.path().join("train_y.bin"), [1, 2, 3]).unwrap();
        assert!(message(dir.path()).starts_with("expected 1 labels in"));
        assert!(message(dir.path()).ends_with("found 3"));
    }

    #[test]
    fn a_label_out_of_range_is_named_with_its_position() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1, 0]);
        assert!(message(dir.path()).starts_with("expected a label in 1..=10 at position 1 of"));
        write_train(dir.path(), &[11, 1]);
        assert!(message(dir.path()).ends_with("train_y.bin, found 11"));
    }

    #[test]
    fn class_names_come_from_the_file_if_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1]);
        fs::write(dir.path().join("class_names.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n").unwrap();
        assert_eq!(Stl10::open(dir.path(), Stl10Split::Train).unwrap().class_names()[9], "j");
        fs::write(dir.path().join("class_names.txt"), "a\nb\n").unwrap();
        assert!(message(dir.path()).ends_with("found 2"));
    }

    #[test]
    fn folds_are_ten_lines_of_indices_of_training_images() {
        let dir = tempfile::tempdir().unwrap();
        write_train(dir.path(), &[1, 2, 3]);
        let path = dir.path().join("fold_indices.txt");
        fs::write(&path, "0 2 \n".repeat(10)).unwrap();
        assert_eq!(Stl10::folds(dir.path()).unwrap(), vec![vec![0, 2]; 10]);
        fs::write(&path, "0 2\n".repeat(9)).unwrap();
        assert!(matches!(Stl10::folds(dir.path()), Err(DataError::FoldCount { found: 9, .. })));
        fs::write(&path, "0\n1\n3\n").unwrap();
        let message = Stl10::folds(dir.path()).unwrap_err().to_string();
        assert!(message.starts_with("expected indices below 3 on line 3 of"), "{message}");
    }
}
