//! A folder of image files.

mod listing;
mod passed_over;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use image::RgbImage;
use unicode_normalization::UnicodeNormalization;

pub(crate) use self::{
    listing::{EXTENSIONS, Listing, is_no_data},
    passed_over::PassedOver,
};
use crate::{
    DataError, ImageDataset, ImagePart, PartialImage, decode_image_on, decode_part_on, escape_name,
};

/// JPEG, PNG, WebP, BMP, GIF and TIFF files in a folder.
///
/// Each sub-folder that holds images, at any depth inside, is a class of the sub-folder's name. Classes are sorted by
/// name, in Unicode's composed form (NFC), and the images of a class by path. Images directly in the folder come first
/// and have no label, so a flat folder has no labels at all. Files and folders whose names begin with a dot, and folders
/// that a system makes (`__MACOSX`, `@eaDir`, `$RECYCLE.BIN`), are ignored. Names are as [`escape_name`] writes them.
///
/// Opening lists the files and decodes none. Decoding goes by content rather than by extension, turns the image upright
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
    root: PathBuf,
    /// The path below `root` and the label of each image.
    files: Vec<(PathBuf, Option<usize>)>,
    class_names: Vec<String>,
    ground: [u8; 3],
    passed_over: PassedOver,
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
        Self::open_inside(dir.as_ref(), dir.as_ref(), &[], ground)
    }

    /// Lists the images in `dir`, a folder inside `root`, and names them by their path below `root`. Sub-folders of
    /// `dir` that are in `without` are no classes, and none of their images is listed.
    pub(crate) fn open_inside(
        root: &Path,
        dir: &Path,
        without: &[PathBuf],
        ground: [u8; 3],
    ) -> Result<Self, DataError> {
        let top = Listing::of(dir)?;
        let mut files: Vec<_> = top.images.into_iter().map(|path| (path, None)).collect();
        let mut passed_over = PassedOver::default();
        passed_over.add(top.others);
        let mut classes: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for folder in top.folders.into_iter().filter(|folder| !without.contains(folder)) {
            let images = images_below(&folder, &mut passed_over);
            if !images.is_empty() {
                classes.entry(class_name(&folder)).or_default().extend(images);
            }
        }
        let mut class_names = Vec::new();
        for (class, (name, images)) in classes.into_iter().enumerate() {
            class_names.push(name);
            files.extend(images.into_iter().map(|path| (path, Some(class))));
        }
        if files.is_empty() {
            return Err(DataError::NoImages {
                path: dir.to_owned(),
                extensions: EXTENSIONS.join(", "),
            });
        }
        for (path, _) in &mut files {
            if let Ok(below) = path.strip_prefix(root) {
                *path = below.to_owned();
            }
        }
        Ok(Self { root: root.to_owned(), files, class_names, ground, passed_over })
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
        self.files.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        DataError::check_index(index, self.files.len())?;
        decode_image_on(self.root.join(&self.files[index].0), self.ground)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        DataError::check_index(index, self.files.len())?;
        decode_part_on(self.root.join(&self.files[index].0), self.ground, choose)
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.files.get(index).and_then(|(_, class)| *class)
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        match self.files.get(index) {
            Some((path, _)) => escape_name(path),
            None => format!("[{index}]"),
        }
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.files.get(index).map(|(path, _)| self.root.join(path))
    }
}

/// The name of the class whose images are in `folder`: the folder's name as [`escape_name`] writes it, in Unicode's
/// composed form (NFC), so that it is the same whichever system wrote it.
pub(crate) fn class_name(folder: &Path) -> String {
    escape_name(Path::new(folder.file_name().unwrap_or_default())).nfc().collect()
}

/// Those of `folders` in which an image lies, at any depth, or may lie, as a folder cannot be read.
pub(crate) fn holding_images(folders: &[PathBuf]) -> Vec<PathBuf> {
    let holds = |folder: &&PathBuf| {
        let mut holds = false;
        visit(folder, Listing::up_to_an_image, |_, listing| {
            holds |= listing.map_or(true, |listing| !listing.images.is_empty());
            !holds
        });
        holds
    };
    folders.iter().filter(holds).cloned().collect()
}

/// All images at any depth below `dir`, sorted by path.
fn images_below(dir: &Path, passed_over: &mut PassedOver) -> Vec<PathBuf> {
    let mut all = Vec::new();
    visit(dir, Listing::of, |folder, listing| {
        match listing {
            Ok(listing) => {
                all.append(&mut listing.images);
                passed_over.add(std::mem::take(&mut listing.others));
            }
            Err(error) => passed_over.add_folder(folder.to_owned(), error),
        }
        true
    });
    all.sort();
    all
}

/// Shows `see` what `list` finds in `dir` and in each folder at any depth below, until it says no. Each real folder is
/// entered once, so circles of links end.
fn visit(
    dir: &Path,
    list: impl Fn(&Path) -> Result<Listing, DataError>,
    mut see: impl FnMut(&Path, Result<&mut Listing, &DataError>) -> bool,
) {
    let mut entered = HashSet::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(folder) = waiting.pop() {
        // Where a folder leads cannot be told of one that cannot be listed either.
        if fs::canonicalize(&folder).is_ok_and(|real| !entered.insert(real)) {
            continue;
        }
        let mut listing = list(&folder);
        if !see(&folder, listing.as_mut().map_err(|error| &*error)) {
            break;
        }
        waiting.extend(listing.into_iter().flat_map(|listing| listing.folders));
    }
}

#[cfg(test)]
mod tests;
