//! A folder of image files.

use std::{
    collections::HashSet,
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use image::RgbImage;

use crate::{DataError, ImageDataset, decode::decode_image};

/// File name extensions that are taken for images, in lower case.
const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
/// JPEG, PNG and WebP files in a folder.
///
/// If sub-folders hold images, each of these is a class, named after the sub-folder; classes go by name, and images
/// may lie at any depth inside. Images directly in the folder are unlabelled, so a flat folder has no labels at all.
/// Files go by path within their class. Names that begin with a dot are passed over.
///
/// Opening lists files and decodes none. Decoding goes by content rather than by extension, turns the image upright as
/// its EXIF data asks, converts to 8-bit RGB (transparency is dropped), and refuses images that are more than 20,000
/// pixels wide or high, that take more than 512 MiB, or that are cut off.
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
    /// Path below `root`, and class.
    files: Vec<(PathBuf, Option<usize>)>,
    class_names: Vec<String>,
}

impl ImageFolder {
    /// Lists the images in the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`DataError::Missing`] if there is no such folder, [`DataError::NoImages`] if it holds no images,
    /// [`DataError::Io`] if it or a folder inside cannot be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_inside(dir.as_ref(), dir.as_ref())
    }

    /// Lists the images in `dir`, a folder inside `root`, and names them by their path below `root`.
    pub(crate) fn open_inside(root: &Path, dir: &Path) -> Result<Self, DataError> {
        let top = Listing::of(dir)?;
        let mut files: Vec<_> = top.images.into_iter().map(|path| (path, None)).collect();
        let mut class_names = Vec::new();
        for folder in top.folders {
            let images = images_below(&folder)?;
            if images.is_empty() {
                continue;
            }
            let class = class_names.len();
            class_names.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
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
        Ok(Self { root: root.to_owned(), files, class_names })
    }

    /// The path of the image at `index`, if there is such an image.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<PathBuf> {
        self.files.get(index).map(|(path, _)| self.root.join(path))
    }
}

impl ImageDataset for ImageFolder {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        DataError::check_index(index, self.files.len())?;
        decode_image(self.root.join(&self.files[index].0))
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.files.get(index).and_then(|(_, class)| *class)
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        match self.files.get(index) {
            Some((path, _)) => {
                path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
            }
            None => format!("[{index}]"),
        }
    }
}

/// The images and the sub-folders directly in a folder, in name order.
pub(crate) struct Listing {
    pub(crate) images: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
}

impl Listing {
    pub(crate) fn of(dir: &Path) -> Result<Self, DataError> {
        let failed = |source| DataError::from_io(dir, "a folder of images", source);
        let mut listing = Self { images: Vec::new(), folders: Vec::new() };
        for entry in fs::read_dir(dir).map_err(failed)? {
            listing.add(&entry.map_err(failed)?).map_err(failed)?;
        }
        listing.images.sort();
        listing.folders.sort();
        Ok(listing)
    }

    fn add(&mut self, entry: &DirEntry) -> io::Result<()> {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return Ok(());
        }
        let path = entry.path();
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            // A link to nowhere is passed over like a file of another kind.
            let Ok(target) = fs::metadata(&path) else { return Ok(()) };
            kind = target.file_type();
        }
        if kind.is_dir() {
            self.folders.push(path);
        } else if kind.is_file() && has_image_extension(&path) {
            self.images.push(path);
        }
        Ok(())
    }
}

fn has_image_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// All images at any depth below `dir`, by path. Each real folder is entered once, so links cannot make a circle.
fn images_below(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut images = Vec::new();
    let mut entered = HashSet::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(folder) = waiting.pop() {
        let real = fs::canonicalize(&folder)
            .map_err(|source| DataError::from_io(&folder, "a folder of images", source))?;
        if entered.insert(real) {
            let listing = Listing::of(&folder)?;
            images.extend(listing.images);
            waiting.extend(listing.folders);
        }
    }
    images.sort();
    Ok(images)
}

#[cfg(test)]
mod tests;
