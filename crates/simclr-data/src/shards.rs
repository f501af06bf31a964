//! Images in tar archives.

mod columns;
mod label;
mod layout;
mod member_image;
mod member_name;
mod members;
mod names;
mod notes;
mod open_files;
mod pack;
mod pack_index;
#[cfg(feature = "parquet")]
mod parquet;
mod pattern;
mod pax;
mod positioned;
mod ppm;
mod scanned_shard;
mod shard_files;
mod stamp;
mod table;
mod tar_header;
mod window;

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use image::RgbImage;

pub use self::pack::{PackConfig, PackError, PackFormat, PackProgress, Packed, pack};
#[cfg(feature = "parquet")]
pub use self::parquet::ParquetImages;
pub(crate) use self::shard_files::{ShardFile, ShardKind, in_folder, named_by};
use self::{
    columns::{NO_LABEL, NO_SPLIT},
    member_image::ImageFault,
    open_files::OpenFiles,
    table::{Shard, Table},
};
use crate::{
    DataError, ImageDataset, ImagePart, Opening, PartialImage, escape_name, image_folder::Listing,
};

/// Images in tar archives, called shards: a data set of a million images in a few files.
///
/// The archives are as [WebDataset](https://github.com/webdataset/webdataset) has them, or are tarred folders of
/// images. Members that follow each other and whose paths are the same up to the first dot of the file's name are one image:
///
/// | member | what it is |
/// |---|---|
/// | `000017.jpg` (`.jpeg`, `.png`, `.webp`, `.bmp`, `.gif`, `.tif`) | the image |
/// | `000017.ppm` | the image without compression: binary PPM of 8 bits a channel |
/// | `000017.cls` | the number of its class, in decimal digits |
/// | `000017.json` | its class, as field `label` or `cls` (a number or a name), and the name beside a number as `class_name` |
///
/// Where no member tells a class, folders inside the archives are the classes, as in an [`ImageFolder`](crate::ImageFolder):
/// those below the folders that all images share. Other members are passed over. Links, sparse files and names that lead out
/// of their archive are passed over and [counted](Self::warnings).
///
/// The order is that of the shards, and within a shard that of its members. Opening reads the headers alone, of many shards
/// at once, and keeps 34 bytes an image and its name; an [index file](Opening::index) saves that the next time. An image
/// is then one positioned read, from any number of threads. At most 128 shards are open at a time.
///
/// # What can be wrong with a shard
///
/// - It is compressed, holds archives in place of images, or is no archive: [`DataError::Compressed`],
///   [`DataError::NestedArchive`], [`DataError::Archive`], [`DataError::EmptyFile`] when the set is opened.
/// - It is cut off: a [warning](Self::warnings) that says where, and how many images came before. The image that the file
///   ends in is one that cannot be read.
/// - It changes while the set is open: [`DataError::Changed`], never another image and never a signal, as files are not mapped
///   into memory.
/// - An image in it cannot be decoded: [`DataError::Decode`], which names the shard and the member.
///
/// ```
/// use simclr_data::{ImageDataset, Shards};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// # let mut png = std::io::Cursor::new(Vec::new());
/// # image::RgbImage::new(40, 30).write_to(&mut png, image::ImageFormat::Png)?;
/// # let mut shard = tar::Builder::new(std::fs::File::create(dir.join("train-000.tar"))?);
/// # let mut add = |name: &str, bytes: &[u8]| {
/// #     let mut header = tar::Header::new_gnu();
/// #     header.set_size(bytes.len() as u64);
/// #     shard.append_data(&mut header, name, bytes)
/// # };
/// # add("000017.png", png.get_ref())?;
/// # add("000017.cls", b"7")?;
/// # add("000018.png", png.get_ref())?;
/// # add("000018.cls", b"3")?;
/// # shard.finish()?;
/// // `train-000.tar`, with the members 000017.png, 000017.cls, 000018.png and 000018.cls
/// let shards = Shards::open(dir.join("train-{000..000}.tar"))?;
/// assert_eq!(shards.len(), 2);
/// assert_eq!(shards.name(1), "000018.png");
/// assert_eq!((shards.class_names(), shards.label(1)), (&["3".to_owned(), "7".to_owned()][..], Some(0)));
/// assert_eq!(shards.image(1)?.dimensions(), (40, 30));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Shards(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    files: Vec<ShardFile>,
    table: Table,
    open: OpenFiles,
    ground: [u8; 3],
    /// What the name of an image begins with, for each shard.
    prefixes: Vec<String>,
    warnings: Vec<String>,
    /// Whether the table is in the index file that was asked for.
    from_index: bool,
}

impl Shards {
    /// Opens the shards that `path` stands for: a tar archive, a folder of them (those in folders directly inside count),
    /// or a pattern such as `train-{000..146}.tar` or `{train,val}.tar`.
    ///
    /// # Errors
    ///
    /// [`DataError`]: see [above](Self#what-can-be-wrong-with-a-shard).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_with(path, &Opening::default())
    }

    /// Like [`open`](Self::open), with an index file or another ground.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, opening: &Opening) -> Result<Self, DataError> {
        let path = path.as_ref();
        let files = match named_by(path)? {
            Some(files) => files,
            None => in_folder(&Listing::of(path)?)?,
        };
        if files.is_empty() {
            return Err(DataError::Missing { path: path.join("*.tar"), expected: "shards" });
        }
        Self::of(files, opening)
    }

    /// Whether `path` is a tar archive or a Parquet file, or a pattern for the names of several, rather than an image or a folder.
    #[must_use]
    pub fn are_named_by(path: impl AsRef<Path>) -> bool {
        shard_files::are_named_by(path.as_ref())
    }

    /// Opens these shards, in this order.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn of_files(files: Vec<PathBuf>, opening: &Opening) -> Result<Self, DataError> {
        Self::of(files.into_iter().map(ShardFile::of).collect(), opening)
    }

    pub(crate) fn of(files: Vec<ShardFile>, opening: &Opening) -> Result<Self, DataError> {
        let mut ignored = None;
        let indexed = opening.index.as_ref().and_then(|index| {
            Table::from_index(index, &files)
                .map_err(|fault| {
                    if !fault.is_missing() {
                        ignored = Some(format!(
                            "the index {} is not used, and made anew: {fault}",
                            escape_name(index)
                        ));
                    }
                })
                .ok()
        });
        let from_index = indexed.is_some();
        let table = match indexed {
            Some(table) => table,
            None => Table::of(&files)?,
        };
        let prefixes = prefixes(&files);
        let warnings = ignored.into_iter().chain(table.warnings.iter().cloned()).collect();
        let (open, ground) = (OpenFiles::default(), opening.ground);
        Ok(Self(Arc::new(Opened { files, table, open, ground, prefixes, warnings, from_index })))
    }

    /// One line each for people: what is passed over, and which shards do not end as they should.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings.clone()
    }

    /// Writes an index file, as [`Opening::index`] reads it.
    ///
    /// # Errors
    ///
    /// The system's, if the file cannot be written.
    pub fn write_index(&self, index: impl AsRef<Path>) -> io::Result<()> {
        self.0.table.write_index(index.as_ref(), &self.0.files)
    }

    /// Whether the index file that was asked for has told what the shards hold.
    #[must_use]
    pub fn is_from_index(&self) -> bool {
        self.0.from_index
    }

    /// The names of the splits into which the images are divided.
    pub(crate) fn split_names(&self) -> &[String] {
        &self.0.table.split_names
    }

    /// The split of each image, an index into [`split_names`](Self::split_names).
    pub(crate) fn splits(&self) -> impl Iterator<Item = Option<usize>> {
        let splits = self.0.table.images.splits.iter();
        splits.map(|&split| (split != NO_SPLIT).then_some(usize::from(split)))
    }

    /// Where the image is, for an error.
    fn member_path(&self, shard: usize, index: usize) -> PathBuf {
        self.0.files[shard].path.join(self.0.table.images.names.get(index))
    }
}

impl ImageDataset for Shards {
    fn len(&self) -> usize {
        self.0.table.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.image_part(index, &mut ImagePart::whole).map(PartialImage::into_pixels)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        let Opened { table, open, ground, .. } = &*self.0;
        DataError::check_index(index, table.images.len())?;
        let number = table.shard_of(index);
        let Shard { path, stamp } = &table.shards[number];
        let file = open.get(number, path, *stamp)?;
        let image = member_image::read(&file, stamp.len, &table.images, index, *ground, choose);
        image.map_err(|fault| match fault {
            ImageFault::Changed(change) => {
                DataError::Changed { path: path.clone(), change: change.to_owned() }
            }
            ImageFault::CutOff => {
                let reason = "the shard is cut off within it";
                let source = io::Error::new(ErrorKind::UnexpectedEof, reason);
                DataError::Unreadable { path: self.member_path(number, index), source }
            }
            ImageFault::Unreadable(source) => {
                DataError::Unreadable { path: self.member_path(number, index), source }
            }
            ImageFault::Decode(source) => {
                DataError::Decode { path: self.member_path(number, index), source }
            }
        })
    }

    fn label(&self, index: usize) -> Option<usize> {
        let label = *self.0.table.images.labels.get(index)?;
        (label != NO_LABEL).then_some(label as usize)
    }

    fn class_names(&self) -> &[String] {
        &self.0.table.class_names
    }

    /// The member's path within its shard, after the shard's name if there are several; of packed images, the name that
    /// they had before.
    fn name(&self, index: usize) -> String {
        let table = &self.0.table;
        if index >= table.images.len() {
            return format!("[{index}]");
        }
        let prefix = &self.0.prefixes[table.shard_of(index)];
        format!("{prefix}{}", table.images.names.get(index))
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.0.table.images.lengths.get(index).map(|&length| u64::from(length))
    }
}

/// The path of each shard below the folder of all of them, with a `/`; of a single one, nothing.
fn prefixes(files: &[ShardFile]) -> Vec<String> {
    let Some(mut shared) = files.first().and_then(|first| first.path.parent()) else {
        return vec![String::new(); files.len()];
    };
    if files.len() == 1 {
        return vec![String::new()];
    }
    for file in files {
        while !file.path.starts_with(shared) {
            shared = shared.parent().unwrap_or(Path::new(""));
        }
    }
    let below = |file: &ShardFile| file.path.strip_prefix(shared).unwrap_or(&file.path).to_owned();
    files.iter().map(|file| format!("{}/", escape_name(&below(file)))).collect()
}

#[cfg(test)]
mod tests;
