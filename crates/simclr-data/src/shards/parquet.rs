//! Images in Parquet files.

mod chunk;
mod classes;
mod fault;
mod image_file;
mod page;
mod page_cache;
mod page_header;
mod schema;
mod source;

use std::{io, path::Path, sync::Arc};

use ::parquet::data_type::ByteArrayType;
use image::{ImageError, RgbImage};
use rayon::prelude::*;

use self::{
    classes::Classes,
    fault::Fault,
    image_file::{ImageFile, Opened},
    page_cache::PageCache,
    source::Source,
};
use super::{
    columns::NO_LABEL, in_folder, named_by, open_files::OpenFiles, prefixes, shard_files::ShardFile,
};
use crate::{
    DataError, ImageDataset, ImagePart, Opening, PartialImage, decode_part_bytes_on,
    image_folder::{EXTENSIONS, Listing},
};

/// How many images of a page are read for one, before a warning says so.
const MANY: u64 = 32;

/// Images in Parquet files, as the data sets of the Hugging Face hub have them.
///
/// | column | what it is |
/// |---|---|
/// | a struct with a field `bytes` (and `path`, which is passed over), or bytes | the image files: JPEG, PNG and the others that an [`ImageFolder`](crate::ImageFolder) has |
/// | `label`, or the only one that the hub's metadata call a class | the number of the class; below 0 or null for none |
///
/// The image column is the one that the hub's metadata call an image, or `image`, or `img`, or the only one. Names of classes come from
/// those metadata; without them, a class is called by its number. The order is that of the files and of their rows, and an image is called
/// `FILE[ROW]`. Pages may be compressed with Snappy, or not at all.
///
/// Opening reads the ends of files, where their pages are listed, and the column of classes. An image is one positioned read, of the page that
/// it is in, and of the column's dictionary if the page goes by that; nothing is mapped into memory. The pages that were read last, up to
/// 64 MiB, are kept for images that follow each other.
///
/// # What can be wrong with a file
///
/// - It has no page index: [`DataError::NoPageIndex`], unless images are read [in their order](Opening::in_order).
/// - It is cut off or damaged, or has no column of images: [`DataError::Parquet`] when the set is opened.
/// - It changes while the set is open: [`DataError::Changed`].
/// - A page is damaged, or a row has no image: [`DataError::Decode`] for the images in it.
#[derive(Debug, Clone)]
pub struct ParquetImages(Arc<Set>);

#[derive(Debug)]
struct Set {
    files: Vec<ImageFile>,
    /// For each file, the number of images in it and in those before it.
    ends: Vec<u64>,
    classes: Classes,
    open: OpenFiles,
    pages: PageCache,
    ground: [u8; 3],
    /// What the names of a file's images begin with.
    prefixes: Vec<String>,
    warnings: Vec<String>,
}

impl ParquetImages {
    /// Opens the files that `path` stands for: a Parquet file, a folder of them (those in folders directly inside count), or a pattern such
    /// as `data/train-{00000..00003}-of-00004.parquet`.
    ///
    /// # Errors
    ///
    /// [`DataError`]: see [above](Self#what-can-be-wrong-with-a-file).
    pub fn open(path: impl AsRef<Path>, opening: &Opening) -> Result<Self, DataError> {
        let path = path.as_ref();
        let files = match named_by(path)? {
            Some(files) => files,
            None => in_folder(&Listing::of(path)?)?,
        };
        Self::of(&files, opening)
    }

    pub(crate) fn of(files: &[ShardFile], opening: &Opening) -> Result<Self, DataError> {
        let in_order = opening.in_order;
        let mut opened: Vec<Opened> = files
            .par_iter()
            .map(|file| ImageFile::open(&file.path, in_order))
            .collect::<Result<_, _>>()?;
        let classes = Classes::of(&mut opened)?;
        let mut warnings = classes.warnings.clone();
        let (mut of_all, mut ends, mut end) = (Vec::new(), Vec::new(), 0);
        for Opened { file, .. } in opened {
            end += file.rows();
            ends.push(end);
            of_all.push(file);
        }
        if end == 0 {
            let path = of_all.first().map(|file| file.path.clone()).unwrap_or_default();
            return Err(DataError::NoImages { path, extensions: EXTENSIONS.join(", ") });
        }
        let pages: usize = of_all.iter().map(ImageFile::pages).sum();
        let in_page = end / pages.max(1) as u64;
        if in_page > MANY && !in_order {
            warnings.push(format!(
                "a page has {in_page} images, all of which are read for one: `simclr data pack` makes a file of which each is read alone"
            ));
        }
        let prefixes = names(files);
        let (open, pages, ground) = (OpenFiles::default(), PageCache::default(), opening.ground);
        Ok(Self(Arc::new(Set {
            files: of_all,
            ends,
            classes,
            open,
            pages,
            ground,
            prefixes,
            warnings,
        })))
    }

    /// One line each for people: what is passed over, and what takes long.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The number of the file of the image at `index`, and the image's row there.
    fn locate(&self, index: usize) -> Option<(usize, u64)> {
        let index = index as u64;
        let file = self.0.ends.partition_point(|&end| end <= index);
        let start = file.checked_sub(1).map_or(0, |before| self.0.ends[before]);
        (file < self.0.files.len()).then(|| (file, index - start))
    }

    /// For each file, how many images it has.
    pub(crate) fn lens(&self) -> impl Iterator<Item = usize> {
        self.0.files.iter().map(|file| file.rows() as usize)
    }

    /// The page of a row, and the row's place in it.
    fn page(&self, number: usize, row: u64) -> Result<(Arc<page_cache::Images>, usize), DataError> {
        let Set { files, open, pages, .. } = &*self.0;
        let file = &files[number];
        let ImageFile { path, stamp, column, chunks, .. } = file;
        let source = Source { file: open.get(number, path, *stamp)?, len: stamp.len };
        let (group, row_in_group) = file.locate(row);
        let chunk = &chunks[group];
        let (page, place) = chunk.locate(row_in_group);
        let bytes = chunk.pages[page].place.length as usize;
        let images = pages.get([number, group, page], bytes, || {
            page::read::<ByteArrayType>(&source, column, chunk, page)
        });
        images.map(|images| (images, place)).map_err(|fault| self.failed(number, row, fault))
    }

    /// The error for an image that cannot be read.
    fn failed(&self, number: usize, row: u64, fault: Fault) -> DataError {
        let path = self.0.files[number].path.clone();
        let of_image = path.join(format!("[{row}]"));
        match fault {
            // The file was long enough a moment before.
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                DataError::Changed { path, change: "it was cut off".to_owned() }
            }
            Fault::Io(source) => DataError::Unreadable { path: of_image, source },
            Fault::NoPageIndex => DataError::NoPageIndex { path },
            Fault::Damaged(found) => DataError::Decode {
                path: of_image,
                source: refused(&format!("expected a page of images, found {found}")),
            },
        }
    }
}

fn refused(reason: &str) -> ImageError {
    io::Error::new(io::ErrorKind::InvalidData, reason).into()
}

/// The path of each file below the folder of all of them.
fn names(files: &[ShardFile]) -> Vec<String> {
    if let [only] = files {
        let name = only.path.file_name().unwrap_or_default();
        return vec![crate::escape_name(Path::new(name))];
    }
    prefixes(files).into_iter().map(|name| name.trim_end_matches('/').to_owned()).collect()
}

impl ImageDataset for ParquetImages {
    fn len(&self) -> usize {
        self.0.ends.last().copied().unwrap_or_default() as usize
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.image_part(index, &mut ImagePart::whole).map(PartialImage::into_pixels)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        let at = self.locate(index);
        let (number, row) = at.ok_or(DataError::IndexOutOfRange { index, len: self.len() })?;
        let (images, place) = self.page(number, row)?;
        let image = match &images[place] {
            Some(bytes) => decode_part_bytes_on(bytes.data(), self.0.ground, choose),
            None => Err(refused("expected an image, found a null")),
        };
        image.map_err(|source| {
            let path = self.0.files[number].path.join(format!("[{row}]"));
            DataError::Decode { path, source }
        })
    }

    fn label(&self, index: usize) -> Option<usize> {
        let label = *self.0.classes.labels.get(index)?;
        (label != NO_LABEL).then_some(label as usize)
    }

    fn class_names(&self) -> &[String] {
        &self.0.classes.names
    }

    /// The file's path below the folder of all, and the row: `train-00000-of-00004.parquet[17]`.
    fn name(&self, index: usize) -> String {
        match self.locate(index) {
            None => format!("[{index}]"),
            Some((number, row)) => format!("{}[{row}]", self.0.prefixes[number]),
        }
    }

    /// Its share of its page.
    fn stored_size(&self, index: usize) -> Option<u64> {
        let (number, row) = self.locate(index)?;
        let file = &self.0.files[number];
        let (group, row) = file.locate(row);
        let chunk = &file.chunks[group];
        let (page, _) = chunk.locate(row);
        Some(u64::from(chunk.pages[page].place.length / chunk.rows_of(page)))
    }
}

#[cfg(test)]
mod tests;
