//! A folder of image files.

mod folder_table;
mod folders;
mod listing;
mod names;
mod passed_over;
mod runs;
mod sizes;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use image::RgbImage;
use unicode_normalization::UnicodeNormalization;

pub(crate) use self::{
    folders::Folders,
    listing::{EXTENSIONS, Listing, is_no_data},
    passed_over::PassedOver,
};
use self::{folders::visit, runs::Run};
use crate::{
    DataError, ImageDataset, ImagePart, Opening, PartialImage, decode_image_on, decode_part_on,
    escape_name,
};

/// JPEG, PNG, WebP, BMP, GIF and TIFF files in a folder.
///
/// Each sub-folder that holds images, at any depth inside, is a class of the sub-folder's name. Classes are sorted by
/// name, in Unicode's composed form (NFC), and the images of a class by path. Images directly in the folder come first
/// and have no label, so a flat folder has no labels at all. Files and folders whose names begin with a dot, and folders
/// that a system makes (`__MACOSX`, `@eaDir`, `$RECYCLE.BIN`), are ignored. Names are as [`escape_name`] writes them.
///
/// Opening lists the files, of many folders at once, and decodes none. It keeps each file's name and eight bytes. An
/// [index file](Opening::index) saves the listing the next time. Decoding goes by content rather than by extension, turns the image upright
/// as its EXIF data says, converts it to 8-bit RGB (what is transparent lies on white, or the ground of [`open_on`](Self::open_on)), and refuses images that are more than
/// 20,000 pixels wide or high, that take more than 512 MiB, or that are truncated.
///
/// ```
/// use image::{Rgb, RgbImage};
/// use simclr_data::{ImageDataset, ImageFolder};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// for class in ["cat", "dog"] {
///     std::fs::create_dir(dir.join(class))?;
///     RgbImage::from_pixel(40, 30, Rgb([90, 60, 30])).save(dir.join(class).join("1.png"))?;
/// }
///
/// let folder = ImageFolder::open(dir)?;
/// assert_eq!(folder.class_names(), ["cat", "dog"]);
/// assert_eq!(folder.name(1), "dog/1.png");
/// assert_eq!(folder.image(1)?.dimensions(), (40, 30));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImageFolder {
    parts: Vec<Part>,
    class_names: Vec<String>,
    ground: [u8; 3],
    passed_over: PassedOver,
}

/// Images of one folder and one class that follow each other.
#[derive(Debug, Clone)]
struct Part {
    /// The index of the first image after them.
    end: usize,
    run: Run,
    class: Option<usize>,
    /// The path of their folder below the root, escaped.
    below: String,
}

impl ImageFolder {
    /// Lists the images in the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if the folder does not exist; [`DataError::NoImages`] if it holds no images;
    /// [`DataError::Io`] if it cannot be read. A folder inside that cannot be read is left out, with a
    /// [warning](Self::warnings).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_on(dir, crate::decode::WHITE)
    }

    /// Like [`open`](Self::open), with what is transparent on `ground`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(dir: impl AsRef<Path>, ground: [u8; 3]) -> Result<Self, DataError> {
        let (dir, opening) = (dir.as_ref(), Opening { ground, ..Opening::default() });
        let folders = Folders::new(dir, &opening);
        folders.list_all(dir);
        Self::open_inside(dir, dir, &[], &folders, ground)
    }

    /// Lists the images in `dir`, a folder inside `root`, and names them by their path below `root`. Sub-folders of
    /// `dir` that are in `without` are no classes, and none of their images is listed.
    pub(crate) fn open_inside(
        root: &Path,
        dir: &Path,
        without: &[PathBuf],
        folders: &Folders,
        ground: [u8; 3],
    ) -> Result<Self, DataError> {
        let top = folders.listing(dir)?;
        let mut passed_over = PassedOver::default();
        passed_over.add(&top);
        let mut classes: BTreeMap<String, Vec<Run>> = BTreeMap::new();
        for folder in top.folders.iter().filter(|folder| !without.contains(folder)) {
            let images = images_below(folder, folders, &mut passed_over);
            if !images.is_empty() {
                classes.entry(class_name(folder)).or_default().extend(images);
            }
        }
        let mut end = 0;
        let mut part = |run: Run, class| {
            end += run.images.len();
            let dir = &run.listing.dir;
            let below = escape_name(dir.strip_prefix(root).unwrap_or(dir));
            Part { end, run, class, below }
        };
        let mut parts = Vec::new();
        if !top.images.is_empty() {
            parts.push(part(Run::whole(Arc::clone(&top)), None));
        }
        let mut class_names = Vec::new();
        for (class, (name, runs)) in classes.into_iter().enumerate() {
            class_names.push(name);
            parts.extend(runs.into_iter().map(|run| part(run, Some(class))));
        }
        if parts.is_empty() {
            return Err(DataError::NoImages {
                path: dir.to_owned(),
                extensions: EXTENSIONS.join(", "),
            });
        }
        Ok(Self { parts, class_names, ground, passed_over })
    }

    /// The part that the image at `index` is in, and its place in its folder; `None` past the end.
    fn locate(&self, index: usize) -> Option<(&Part, usize)> {
        let part = self.parts.get(self.parts.partition_point(|part| part.end <= index))?;
        let from_end = part.end - index;
        Some((part, part.run.images.end - from_end))
    }

    /// One line each for people: which files are passed over, as they are no images by their names, and which folders inside
    /// cannot be read.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.passed_over.warnings()
    }

    /// The files in the folder that are not read.
    pub(crate) fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }
}

impl ImageDataset for ImageFolder {
    fn len(&self) -> usize {
        self.parts.last().map_or(0, |part| part.end)
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        decode_image_on(self.checked_path(index)?, self.ground)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        decode_part_on(self.checked_path(index)?, self.ground, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.locate(index).and_then(|(part, _)| part.class)
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        match self.locate(index) {
            None => format!("[{index}]"),
            Some((part, place)) => {
                let name = part.run.listing.images.escaped(place);
                if part.below.is_empty() {
                    name.to_owned()
                } else {
                    format!("{}/{name}", part.below)
                }
            }
        }
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        let (part, place) = self.locate(index)?;
        Some(part.run.listing.image_path(place))
    }

    /// As the index file says, where it is believed, or as the system does, which is asked once.
    fn stored_size(&self, index: usize) -> Option<u64> {
        let (part, place) = self.locate(index)?;
        let Listing { images, sizes, .. } = &*part.run.listing;
        sizes.get(place, images.len(), || part.run.listing.image_path(place))
    }
}

impl ImageFolder {
    fn checked_path(&self, index: usize) -> Result<PathBuf, DataError> {
        self.path(index).ok_or(DataError::IndexOutOfRange { index, len: self.len() })
    }
}

/// The name of the class whose images are in `folder`: the folder's name as [`escape_name`] writes it, in Unicode's
/// composed form (NFC), so that it is the same whichever system wrote it.
pub(crate) fn class_name(folder: &Path) -> String {
    escape_name(Path::new(folder.file_name().unwrap_or_default())).nfc().collect()
}

/// All images at any depth below `dir`, sorted by path.
fn images_below(dir: &Path, folders: &Folders, passed_over: &mut PassedOver) -> Vec<Run> {
    let mut all = Vec::new();
    visit(
        dir,
        |dir| folders.listing(dir),
        |folder, listing| {
            match listing {
                Ok(listing) => {
                    all.push(Arc::clone(listing));
                    passed_over.add(listing);
                }
                Err(error) => passed_over.add_folder(folder.to_owned(), error),
            }
            true
        },
    );
    runs::sorted(all)
}

#[cfg(test)]
mod tests;
