//! A checksum that tells one data set from another.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simclr_data::ImageDataset;

/// Images whose names and sizes are in memory at a time.
const CHUNK: usize = 4096;

/// What identifies the images of a run: how many they are, and the names and stored sizes of all, in order.
///
/// It reads no image. A picture that was changed into another one of the same name and size goes unnoticed.
///
/// ```
/// use simclr_data::{Sample, SampleConfig};
/// use simclr_train::DataChecksum;
///
/// let sample = |images| Sample::new(SampleConfig { images, ..SampleConfig::default() });
/// let (three, four) = (DataChecksum::new(&sample(3)?), DataChecksum::new(&sample(4)?));
/// assert_eq!(three.difference(&three), None);
/// assert_eq!(three.difference(&four).unwrap(), "it had 3 images and now has 4");
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataChecksum {
    /// Number of images.
    pub images: usize,
    /// SHA-256 of the images' names, in hexadecimal.
    pub names: String,
    /// SHA-256 of their stored sizes, in hexadecimal.
    pub sizes: String,
}

impl DataChecksum {
    /// Asks the names and [stored sizes](ImageDataset::stored_size) of all images.
    #[must_use]
    pub fn new(images: &dyn ImageDataset) -> Self {
        let (mut names, mut sizes) = (Sha256::new(), Sha256::new());
        let count = images.len();
        for first in (0..count).step_by(CHUNK) {
            let ask = |index| (images.name(index), images.stored_size(index));
            // In parallel, as each size is a question to the file system.
            let chunk: Vec<(String, Option<u64>)> =
                (first..count.min(first + CHUNK)).into_par_iter().map(ask).collect();
            for (name, size) in chunk {
                names.update((name.len() as u64).to_le_bytes());
                names.update(name);
                sizes.update(size.map_or([0xff; 8], u64::to_le_bytes));
            }
        }
        let [names, sizes] = [names, sizes].map(|hash| hex::encode(hash.finalize()));
        Self { images: count, names, sizes }
    }

    /// How the set `now` differs from this one, in words that follow "the data is not the run's: "; `None` if both are
    /// the same.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        if self.images != now.images {
            return Some(format!("it had {} images and now has {}", self.images, now.images));
        }
        match (self.names == now.names, self.sizes == now.sizes) {
            (true, true) => None,
            (false, _) => {
                Some(format!("its {} images have other names, or another order", self.images))
            }
            (true, false) => {
                Some(format!("its {} images have the same names and other sizes", self.images))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;
    use simclr_data::ImageFolder;

    #[test]
    fn a_renamed_file_is_another_name_and_a_rewritten_one_another_size() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, side| {
            RgbImage::new(side, side).save(dir.path().join(name)).unwrap();
        };
        write("a.png", 4);
        write("b.png", 4);
        let checksum = || DataChecksum::new(&ImageFolder::open(dir.path()).unwrap());
        let before = checksum();
        assert_eq!(before.difference(&checksum()), None);

        write("b.png", 40);
        let found = before.difference(&checksum()).unwrap();
        assert_eq!(found, "its 2 images have the same names and other sizes");
        write("b.png", 4);
        assert_eq!(before.difference(&checksum()), None);

        std::fs::rename(dir.path().join("b.png"), dir.path().join("c.png")).unwrap();
        let found = before.difference(&checksum()).unwrap();
        assert_eq!(found, "its 2 images have other names, or another order");
    }
}
