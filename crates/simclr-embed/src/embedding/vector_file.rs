//! Vectors that are written as they are computed.

mod finish;
mod npy_header;
mod progress;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use simclr_data::{ImageDataset, WholeSet};
use simclr_files::{WrittenFile, create_folder, remove_folder};

use self::npy_header::HEADER;
use self::progress::Progress;
use super::embedded::{Embedded, TABLE_HEADER};
use super::preparation::Preparation;
use crate::error::EmbedError;

/// What follows the name of the file that is being written.
const UNFINISHED: &str = "unfinished";
/// The most time between two notes of how far the file is.
const NOTE_EVERY: Duration = Duration::from_secs(2);

/// Vectors of a data set in a file that grows as they are computed, whatever their number, and that can be resumed.
///
/// While it grows, it lies in a folder beside its name, `vectors.npy.unfinished`, with all that is needed to go on.
/// [`finish`](Self::finish) moves it to its name, with what lies beside it: names and a table, row by row, see
/// [`Embedded::write_table`]. Under that name it is complete or absent.
///
/// The end of the name says what it becomes: `.npy` for `NumPy`, with the images' names in `.txt`; or `.safetensors`, an
/// [`ImageIndex`](crate::ImageIndex).
///
/// ```
/// # use burn::tensor::Device;
/// # use image::{Rgb, RgbImage};
/// # use simclr_augment::SimClrAugmentation;
/// use simclr_data::{ImageDataset, WholeSet};
/// use simclr_embed::{Embedder, VectorFile};
/// # use simclr_model::EncoderConfig;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # for path in ["photos/cat", "photos/dog"] {
/// #     std::fs::create_dir_all(folder.join(path))?;
/// #     RgbImage::from_pixel(9, 9, Rgb([90, 60, 30])).save(folder.join(path).join("1.png"))?;
/// # }
/// # let device = Device::flex();
/// # let config: EncoderConfig = "mlp_i8_4".parse()?;
/// # let transform = SimClrAugmentation::cifar10().with_size(8)?.evaluation();
/// # let embedder = Embedder::new(config.init(0, &device)?, transform, &device);
/// let photos = WholeSet::open(folder.join("photos"))?;
/// let path = folder.join("vectors.npy");
/// let (size, preparation) = (embedder.feature_size(), embedder.preparation());
/// // or `VectorFile::resume` with the same values
/// let mut file = VectorFile::create(&path, size, &preparation, "photos")?;
/// embedder.embed_each(&photos, file.next()..photos.len(), |range, part| file.append(range, &part, &photos))?;
/// let written = file.finish()?;
/// assert_eq!((written.vectors, written.skipped), (2, 0));
/// assert_eq!(std::fs::read_to_string(folder.join("vectors.txt"))?, "cat/1.png\ndog/1.png\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VectorFile {
    parts: Parts,
    progress: Progress,
    vectors: WrittenFile,
    names: WrittenFile,
    table: WrittenFile,
    noted: Instant,
    /// Rows of each image's vector; `None` for one.
    patches: Option<usize>,
}

/// What a finished [`VectorFile`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorsWritten {
    /// Vectors.
    pub vectors: usize,
    /// Images that could not be read and are left out.
    pub skipped: usize,
}

/// Where the parts of a file lie until it is finished, and afterwards.
#[derive(Debug)]
struct Parts {
    out: PathBuf,
    folder: PathBuf,
    numpy: bool,
}

impl Parts {
    /// # Errors
    ///
    /// [`EmbedError::FileName`] unless the name ends in `.npy` or `.safetensors`.
    fn of(out: &Path) -> Result<Self, EmbedError> {
        let numpy = match out.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => true,
            Some("safetensors") => false,
            _ => return Err(EmbedError::FileName { path: out.to_owned() }),
        };
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(UNFINISHED);
        Ok(Self { out: out.to_owned(), folder: out.with_file_name(name), numpy })
    }

    /// Removes what a process left that was killed after it had moved the vectors to their name.
    fn remove_finished(&self) -> Result<(), EmbedError> {
        if self.progress().exists() && !self.vectors().exists() {
            remove_folder(&self.folder).map_err(EmbedError::write(&self.folder))?;
        }
        Ok(())
    }

    fn vectors(&self) -> PathBuf {
        self.folder.join("vectors")
    }

    fn names(&self) -> PathBuf {
        self.folder.join("names.txt")
    }

    fn table(&self) -> PathBuf {
        self.folder.join("labels.csv")
    }

    fn progress(&self) -> PathBuf {
        self.folder.join("progress.json")
    }

    /// Bytes before the first vector.
    fn header(&self) -> u64 {
        if self.numpy { HEADER as u64 } else { 0 }
    }
}

impl VectorFile {
    /// Checks that the name of a file says what it becomes.
    ///
    /// # Errors
    ///
    /// [`EmbedError::FileName`] unless it ends in `.npy` or `.safetensors`.
    pub fn check_name(out: impl AsRef<Path>) -> Result<(), EmbedError> {
        Parts::of(out.as_ref()).map(drop)
    }

    /// Checks that the name of a file says that it may hold features of [patches](Self::with_patches).
    ///
    /// # Errors
    ///
    /// [`EmbedError::FileName`] unless it ends in `.npy` or `.safetensors`, [`EmbedError::PatchesInIndex`] unless it ends in `.npy`.
    pub fn check_patches_name(out: impl AsRef<Path>) -> Result<(), EmbedError> {
        let Parts { out, numpy, .. } = Parts::of(out.as_ref())?;
        if numpy { Ok(()) } else { Err(EmbedError::PatchesInIndex { path: out }) }
    }

    /// Begins a file of vectors of `size` values each. `data` is any text that tells data sets apart.
    ///
    /// # Errors
    ///
    /// [`EmbedError::FileName`] for another ending; [`EmbedError::Unfinished`] if a file of this name has been begun
    /// already; [`EmbedError::Write`].
    pub fn create(
        out: impl AsRef<Path>,
        size: usize,
        preparation: &Preparation,
        data: &str,
    ) -> Result<Self, EmbedError> {
        let parts = Parts::of(out.as_ref())?;
        parts.remove_finished()?;
        if parts.progress().exists() {
            let Progress { rows, .. } = Progress::read(&parts.progress())?;
            return Err(EmbedError::Unfinished { path: parts.folder, vectors: rows });
        }
        // What is left of one that was killed before its first note.
        if parts.folder.is_dir() {
            remove_folder(&parts.folder).map_err(EmbedError::write(&parts.folder))?;
        }
        create_folder(&parts.folder).map_err(EmbedError::write(&parts.folder))?;
        let mut file = Self::open(parts, Progress::new(size, preparation.clone(), data))?;
        let header = vec![0; file.parts.header() as usize];
        file.vectors.write_all(&header).map_err(EmbedError::write(&file.parts.vectors()))?;
        file.table
            .write_all(TABLE_HEADER.as_bytes())
            .map_err(EmbedError::write(&file.parts.table()))?;
        file.progress.table_bytes = TABLE_HEADER.len() as u64;
        file.note()?;
        Ok(file)
    }

    /// Goes on with a file that has been begun. Rows that were written after the last note are written again.
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] if there is none, or what there is is damaged; [`EmbedError::OtherVectors`] if it was begun with
    /// other values; [`EmbedError::Read`] and [`EmbedError::Write`].
    pub fn resume(
        out: impl AsRef<Path>,
        size: usize,
        preparation: &Preparation,
        data: &str,
    ) -> Result<Self, EmbedError> {
        let parts = Parts::of(out.as_ref())?;
        parts.remove_finished()?;
        let path = parts.progress();
        if !path.exists() {
            let expected = "vectors that are not finished";
            return Err(EmbedError::file(&parts.folder, expected, "none"));
        }
        let progress = Progress::read(&path)?;
        progress.check(&parts.folder, size, preparation, data)?;
        let mut file = Self::open(parts, progress)?;
        file.cut()?;
        Ok(file)
    }

    /// Takes each vector for the features of so many patches, one after the other, as
    /// [`Embedder::embed_patches_each`](crate::Embedder::embed_patches_each) makes them: the file gets the shape `[images, patches, values of a patch]`.
    ///
    /// # Errors
    ///
    /// [`EmbedError::PatchesInIndex`] unless the file's name ends in `.npy`: an index has one vector an image.
    ///
    /// # Panics
    ///
    /// If vectors cannot be cut into so many parts.
    pub fn with_patches(self, patches: usize) -> Result<Self, EmbedError> {
        let size = self.progress.size;
        assert!(
            patches > 0 && size.is_multiple_of(patches),
            "expected vectors of {patches} parts, found {size} values"
        );
        Self::check_patches_name(&self.parts.out)?;
        Ok(Self { patches: Some(patches), ..self })
    }

    fn open(parts: Parts, progress: Progress) -> Result<Self, EmbedError> {
        let open = |path: PathBuf| {
            let mut options = File::options();
            options.create(true).write(true).truncate(false);
            WrittenFile::open(&path, &options).map_err(EmbedError::write(&path))
        };
        let [vectors, names, table] = [parts.vectors(), parts.names(), parts.table()].map(open);
        let (vectors, names, table) = (vectors?, names?, table?);
        Ok(Self { parts, progress, vectors, names, table, noted: Instant::now(), patches: None })
    }

    /// Cuts off what was written after the last note, and goes to the ends.
    fn cut(&mut self) -> Result<(), EmbedError> {
        let Progress { rows, size, names_bytes, table_bytes, .. } = self.progress;
        let bytes = self.parts.header() + (rows * size * size_of::<f32>()) as u64;
        for (file, path, length) in [
            (&mut self.vectors, self.parts.vectors(), bytes),
            (&mut self.names, self.parts.names(), names_bytes),
            (&mut self.table, self.parts.table(), table_bytes),
        ] {
            let found = file.as_file().metadata().map_err(EmbedError::read(&path))?.len();
            if found < length {
                let expected = format!("{length} bytes, as noted,");
                return Err(EmbedError::file(path, expected, format!("{found}")));
            }
            file.set_len(length).map_err(EmbedError::write(&path))?;
            file.seek(SeekFrom::End(0)).map_err(EmbedError::write(&path))?;
        }
        Ok(())
    }

    /// The index of the first image that has not been tried: where to go on.
    #[must_use]
    pub fn next(&self) -> usize {
        self.progress.tried
    }

    /// Vectors so far.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.progress.rows
    }

    /// Appends what became of the images in `range` of `images`, which begins at [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// [`EmbedError::NotFinite`] for a feature that is NaN or infinite; [`EmbedError::Write`]: what was noted before stays,
    /// and can be resumed.
    ///
    /// # Panics
    ///
    /// If the range begins elsewhere, or the vectors are of another length.
    pub fn append(
        &mut self,
        range: Range<usize>,
        part: &Embedded,
        images: &WholeSet,
    ) -> Result<(), EmbedError> {
        let (next, size) = (self.next(), self.progress.size);
        assert_eq!(range.start, next, "expected images from {next} on, found {}", range.start);
        let features = &part.features;
        assert_eq!(features.size(), size, "expected vectors of {size}, found {}", features.size());
        if !features.is_empty() {
            features.check("index").map_err(|error| error.after_rows(self.progress.rows))?;
        }
        let values: Vec<u8> = features.values().iter().flat_map(|x| x.to_le_bytes()).collect();
        let names: String = part.names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
        let table = part.table_lines(images).map_err(EmbedError::write(&self.parts.table()))?;
        for (file, path, bytes) in [
            (&mut self.vectors, self.parts.vectors(), &values[..]),
            (&mut self.names, self.parts.names(), names.as_bytes()),
            (&mut self.table, self.parts.table(), &table[..]),
        ] {
            file.write_all(bytes).map_err(EmbedError::write(&path))?;
        }
        let progress = &mut self.progress;
        progress.tried = range.end;
        progress.rows += features.len();
        progress.skipped += part.skipped.len();
        progress.names_bytes += names.len() as u64;
        progress.table_bytes += table.len() as u64;
        if self.noted.elapsed() >= NOTE_EVERY || range.end == images.len() {
            self.note()?;
        }
        Ok(())
    }

    /// Notes how far the file is, once that is on the disk, as [`append`](Self::append) does every few seconds: a file that is
    /// resumed goes on there.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`].
    pub fn note(&mut self) -> Result<(), EmbedError> {
        for (file, path) in [
            (&self.vectors, self.parts.vectors()),
            (&self.names, self.parts.names()),
            (&self.table, self.parts.table()),
        ] {
            file.sync_all().map_err(EmbedError::write(&path))?;
        }
        self.progress.write(&self.parts.progress())?;
        self.noted = Instant::now();
        Ok(())
    }
}
