//! Every image of a data set, whatever it is used for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;

use super::found::{Found, choose_test};
use super::hold_out::held_out;
use super::recognise::recognise;
use crate::{Concat, DataError, ImageDataset, ImagePart, Opening, PartialImage};

/// The names of splits that a data set doesn't name itself.
const TRAIN: &str = "train";
const TEST: &str = "test";
const UNLABELLED: &str = "unlabelled";

/// Every image of a data set once, with its split and its class: what one embeds or classifies.
///
/// It opens what [`Splits::open`](crate::Splits::open) opens and leaves out nothing that lies in a split or in a class:
/// classes that the test set alone has are there, and so is a validation set that evaluation has no use for. First come
/// the images of the training set, then those of the test sets, then those without labels.
///
/// ```
/// use image::{Rgb, RgbImage};
/// use simclr_data::{ImageDataset, WholeSet};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// for path in ["train/cat", "train/dog", "val/cat", "val/emu"] {
///     std::fs::create_dir_all(dir.join(path))?;
///     RgbImage::from_pixel(40, 30, Rgb([90, 60, 30])).save(dir.join(path).join("1.png"))?;
/// }
///
/// let whole = WholeSet::open(dir)?;
/// assert_eq!((whole.len(), whole.name(3)), (4, "val/emu/1.png".to_owned()));
/// assert_eq!((whole.split(3), whole.class(3)), ("val", Some("emu")));
/// assert_eq!(whole.class_names(), ["cat", "dog", "emu"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WholeSet {
    images: Concat,
    /// For each image, an index into `class_names`.
    labels: Vec<Option<usize>>,
    class_names: Vec<String>,
    /// For each image, an index into `split_names`.
    splits: Vec<usize>,
    split_names: Vec<String>,
    warnings: Vec<String>,
}

impl WholeSet {
    /// Opens the data in the folder `dir`, whose content tells what it is, as it does for
    /// [`Splits::open`](crate::Splits::open).
    ///
    /// # Errors
    ///
    /// The errors of [`Splits::open`](crate::Splits::open).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_on(dir, crate::decode::WHITE)
    }

    /// Like [`open`](Self::open), with what is transparent in image files on `ground`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(dir: impl AsRef<Path>, ground: [u8; 3]) -> Result<Self, DataError> {
        Self::open_with(dir, &Opening { ground, ..Opening::default() })
    }

    /// Like [`open`](Self::open), with an index file or another ground.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, opening: &Opening) -> Result<Self, DataError> {
        let Found { train, tests, unlabelled, warnings, .. } = recognise(path.as_ref(), opening)?;
        let mut whole = Self {
            images: Concat::new(Vec::new()),
            labels: Vec::new(),
            class_names: Vec::new(),
            splits: Vec::new(),
            split_names: Vec::new(),
            warnings,
        };
        let mut parts = Vec::new();
        if let Some(train) = train {
            let has_test = choose_test(&train, tests.clone(), &mut Vec::new())?.is_some();
            let held_out = if has_test { vec![false; train.len()] } else { held_out(&train) };
            whole.add_labels(&train);
            for held_out in held_out {
                whole.add_split(if held_out { TEST } else { TRAIN });
            }
            parts.push(train);
        }
        for (name, test) in tests {
            whole.add_labels(&test);
            (0..test.len()).for_each(|_| whole.add_split(&name));
            parts.push(test);
        }
        if let Some(unlabelled) = unlabelled {
            // Folders inside are no classes.
            whole.labels.extend((0..unlabelled.len()).map(|_| None));
            (0..unlabelled.len()).for_each(|_| whole.add_split(UNLABELLED));
            parts.push(unlabelled);
        }
        whole.images = Concat::new(parts);
        Ok(whole)
    }

    /// Appends the labels of a part, whose classes are matched by name.
    fn add_labels(&mut self, part: &Arc<dyn ImageDataset>) {
        let mut known: HashMap<String, usize> = self.class_names.iter().cloned().zip(0..).collect();
        let mut place = |class: &String| {
            *known.entry(class.clone()).or_insert_with(|| {
                self.class_names.push(class.clone());
                self.class_names.len() - 1
            })
        };
        let places: Vec<usize> = part.class_names().iter().map(&mut place).collect();
        let label = |index| part.label(index).map(|label| places[label]);
        self.labels.extend((0..part.len()).map(label));
    }

    /// Appends the split of an image.
    fn add_split(&mut self, name: &str) {
        let place = self.split_names.iter().position(|known| known == name);
        self.splits.push(place.unwrap_or_else(|| {
            self.split_names.push(name.to_owned());
            self.split_names.len() - 1
        }));
    }

    /// The split of the image at `index`: `train`, `test`, `unlabelled`, or the name of the folder of a test set, such as
    /// `val`. Without a test set, the images that evaluation holds out are `test`.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    #[must_use]
    pub fn split(&self, index: usize) -> &str {
        &self.split_names[self.splits[index]]
    }

    /// The name of the class of the image at `index`; `None` if it has no label.
    #[must_use]
    pub fn class(&self, index: usize) -> Option<&str> {
        self.label(index).map(|label| self.class_names[label].as_str())
    }

    /// One line each for people: what was guessed or left out when the folder was opened.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl ImageDataset for WholeSet {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.images.image(index)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        self.images.image_part(index, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(index).copied().flatten()
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.images.path(index)
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.images.stored_size(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Splits;
    use image::Rgb;
    use std::collections::HashSet;
    use std::fs;

    fn write(dir: &Path, paths: &[&str]) {
        for path in paths {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            RgbImage::from_pixel(2, 2, Rgb([7; 3])).save(path).unwrap();
        }
    }

    fn rows(whole: &WholeSet) -> Vec<(String, &str, Option<&str>)> {
        (0..whole.len()).map(|i| (whole.name(i), whole.split(i), whole.class(i))).collect()
    }

    #[test]
    fn every_split_is_there_and_classes_are_matched_by_name() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &["train/b/1.png", "train/a/1.png", "test/c/1.png", "test/b/1.png"]);
        write(dir.path(), &["valid/a/9.png", "unlabeled/x.png", "unlabeled/some/y.png"]);
        let whole = WholeSet::open(dir.path()).unwrap();
        let row = |name: &str, split, class| (name.to_owned(), split, class);
        assert_eq!(
            rows(&whole),
            [
                row("train/a/1.png", "train", Some("a")),
                row("train/b/1.png", "train", Some("b")),
                row("test/b/1.png", "test", Some("b")),
                row("test/c/1.png", "test", Some("c")),
                row("valid/a/9.png", "valid", Some("a")),
                row("unlabeled/x.png", "unlabelled", None),
                row("unlabeled/some/y.png", "unlabelled", None),
            ]
        );
        assert_eq!(whole.class_names(), ["a", "b", "c"]);
        assert_eq!(whole.label(4), Some(0));
        assert_eq!(whole.path(4), Some(dir.path().join("valid/a/9.png")));
    }

    #[test]
    fn without_a_test_set_the_held_out_images_are_marked_where_they_lie() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &["a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png", "stray.png"]);
        let whole = WholeSet::open(dir.path()).unwrap();
        let test: HashSet<String> =
            rows(&whole).into_iter().filter(|row| row.1 == "test").map(|row| row.0).collect();
        let splits = Splits::open(dir.path()).unwrap();
        let expected = splits.labelled.unwrap().test;
        assert_eq!(test, (0..expected.len()).map(|i| expected.name(i)).collect());
        assert_eq!((whole.len(), whole.name(0).as_str()), (6, "stray.png"));
    }

    #[test]
    fn binaries_are_read_with_their_classes() {
        let dir = tempfile::tempdir().unwrap();
        let record = |label: u8| [vec![label], vec![label; 3 * 32 * 32]].concat();
        fs::write(dir.path().join("data_batch_1.bin"), [record(2), record(9)].concat()).unwrap();
        fs::write(dir.path().join("test_batch.bin"), record(5)).unwrap();
        let whole = WholeSet::open(dir.path()).unwrap();
        let found: Vec<_> = rows(&whole).into_iter().map(|row| (row.1, row.2)).collect();
        let expected = [("train", Some("bird")), ("train", Some("truck")), ("test", Some("dog"))];
        assert_eq!(found, expected);
        assert_eq!(whole.image(2).unwrap().get_pixel(3, 4).0, [5; 3]);
    }
}
