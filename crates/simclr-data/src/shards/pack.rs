//! Images in one file that is fast to read.

mod encoded;
mod keys;
mod resume;
mod settings;
mod tar_writer;
mod unfinished;

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use self::{encoded::Encoded, settings::Settings, unfinished::Unfinished};
use crate::{DataError, ImageDataset, WholeSet};

/// How images are packed.
///
/// ```
/// use simclr_data::{PackConfig, PackFormat};
///
/// let small = PackConfig { short_side: Some(256), ..PackConfig::new(PackFormat::Jpeg { quality: 90 }) };
/// assert!(!small.resume);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackConfig {
    /// Shrinks images to a short side of so many pixels, with the antialiased Catmull-Rom filter; those that are no larger
    /// stay as they are. `None` shrinks none.
    pub short_side: Option<u32>,
    /// How an image is stored.
    pub format: PackFormat,
    /// Goes on with an unfinished file of the same images and settings, if there is one.
    pub resume: bool,
}

impl PackConfig {
    /// Packs images in their own size, and anew.
    #[must_use]
    pub fn new(format: PackFormat) -> Self {
        Self { short_side: None, format, resume: false }
    }
}

/// How a packed image is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackFormat {
    /// Its pixels, 3 bytes each: nothing is left to decode.
    Raw,
    /// JPEG with 4:2:0 subsampling.
    Jpeg {
        /// 1 to 100.
        quality: u8,
    },
}

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// Images in the file.
    pub images: usize,
    /// How many of them an earlier call had packed.
    pub resumed: usize,
    /// Why each of the others could not be read. Those that an earlier call left out are read again for that.
    pub skipped: Vec<DataError>,
    /// The file's length.
    pub bytes: u64,
}

/// How far packing is.
#[derive(Debug, Clone, Copy)]
pub struct PackProgress {
    /// Images that are packed or skipped.
    pub done: usize,
    /// Images of the data set.
    pub total: usize,
}

/// Why images are not packed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is a file already.
    #[error("expected no file {}, found one", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is an unfinished file of an earlier call.
    #[error("expected no file {}, found one, with which packing can go on if asked to resume", path.display())]
    Unfinished {
        /// The unfinished file.
        path: PathBuf,
    },
    /// Another process is packing.
    #[error("expected {} for this process alone, found that another one writes it", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// The unfinished file is of other images or settings.
    #[error("expected {} to be begun with {expected}, found {found}", path.display())]
    OtherSettings {
        /// The unfinished file.
        path: PathBuf,
        /// What is asked for now.
        expected: String,
        /// What it was begun with.
        found: String,
    },
    /// The file cannot be written. What is packed stays in the unfinished file.
    #[error("cannot write {}", path.display())]
    Write {
        /// The unfinished file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The caller stopped. What is packed stays in the unfinished file.
    #[error("stopped after {done} of {total} images; what is packed is in {}", path.display())]
    Stopped {
        /// The unfinished file.
        path: PathBuf,
        /// Images that are packed or skipped.
        done: usize,
        /// Images of the data set.
        total: usize,
    },
}

/// Most bytes of images that wait to be written.
const MOST_WAITING: usize = 128 << 20;
/// Images for each thread in a piece of work.
const PER_THREAD: usize = 16;

/// Packs all images of a data set into the file `out`, with their names, splits, classes and checksums, on all cores.
/// [`Splits::open`](crate::Splits::open) and [`WholeSet::open`] open it: with the same order, labels and names as the
/// original's. Images that cannot be read are skipped.
///
/// The file is a tar archive that other programs read too: a member `.jpg` or `.ppm` for each image and `.cls` with the number
/// of its class, as [`Shards`](crate::Shards) has them. The last member, `__simclr_index__`, says where each image is, and holds a
/// CRC32C of each, which reading verifies.
///
/// Until it is whole, the file is called `out` with `.part`. If packing is stopped or killed, or the disk is full, that
/// file stays, and a call with [`resume`](PackConfig::resume) goes on after its last whole image. `watch` sees the progress
/// after each piece of work, and may stop.
///
/// # Errors
///
/// [`PackError`]; [`DataError::OutOfRange`] in it for a quality outside 1 to 100 or a short side of 0.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use simclr_data::{ImageDataset, PackConfig, PackFormat, Splits, WholeSet, pack};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// # for name in ["photos/cat/1.png", "photos/cat/2.png", "photos/dog/1.png", "photos/dog/2.png"] {
/// #     std::fs::create_dir_all(dir.join(name).parent().unwrap())?;
/// #     image::RgbImage::new(64, 48).save(dir.join(name))?;
/// # }
/// let photos = WholeSet::open(dir.join("photos"))?; // with the folders `cat` and `dog`
/// let config = PackConfig { short_side: Some(24), ..PackConfig::new(PackFormat::Raw) };
/// let packed = pack(&photos, dir.join("photos.tar"), &config, |_| ControlFlow::Continue(()))?;
/// assert_eq!((packed.images, packed.skipped.len()), (4, 0));
///
/// let splits = Splits::open(dir.join("photos.tar"))?;
/// assert_eq!(splits.pretrain.name(0), "cat/1.png");
/// assert_eq!(splits.pretrain.image(0)?.dimensions(), (32, 24));
/// assert_eq!(splits.pretrain.class_names(), ["cat", "dog"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pack(
    images: &WholeSet,
    out: impl AsRef<Path>,
    config: &PackConfig,
    mut watch: impl FnMut(PackProgress) -> ControlFlow<()>,
) -> Result<Packed, PackError> {
    let out = out.as_ref();
    let settings = Settings::new(images, config)?;
    if out.exists() {
        return Err(PackError::Exists { path: out.to_owned() });
    }
    let total = images.len();
    let mut file = Unfinished::open(out, images, &settings, config.resume)?;
    let resumed = file.packed();
    let mut skipped: Vec<DataError> =
        file.left_out().iter().filter_map(|&index| images.image(index).err()).collect();
    let mut ready: Vec<Encoded> = Vec::new();
    let mut next = file.done();
    loop {
        let indices = next..total.min(next + piece_size(&ready));
        let is_last = indices.is_empty();
        next = indices.end;
        // The next images are encoded while these are written.
        let (written, encoded) = rayon::join(
            || ready.iter().try_for_each(|image| file.append(image)),
            || indices.into_par_iter().map(|index| settings.encode(images, index)).collect(),
        );
        written?;
        ready = readable(encoded, &mut skipped)?;
        if is_last {
            break;
        }
        let done = next - ready.len();
        if watch(PackProgress { done, total }).is_break() {
            return Err(PackError::Stopped { path: file.keep()?, done, total });
        }
    }
    let (images, bytes) = file.finish()?;
    Ok(Packed { images, resumed, skipped, bytes })
}

/// How many images are encoded at a time, if they are as large as these.
fn piece_size(images: &[Encoded]) -> usize {
    let threads = rayon::current_num_threads();
    // How large the first are is not known.
    let Some(largest) = images.iter().map(|image| image.bytes.len()).max() else { return threads };
    (MOST_WAITING / largest.max(1)).clamp(threads, PER_THREAD * threads)
}

/// The images that could be read. The errors of others are appended to `skipped`, unless all must end.
fn readable(
    encoded: Vec<Result<Encoded, DataError>>,
    skipped: &mut Vec<DataError>,
) -> Result<Vec<Encoded>, DataError> {
    let mut images = Vec::with_capacity(encoded.len());
    for outcome in encoded {
        match outcome {
            Ok(image) => images.push(image),
            Err(error) if error.is_one_image() => skipped.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(images)
}

#[cfg(test)]
mod tests;
