//! What fuzz targets share: a file or a folder in memory, and all there is to read of a data set.

use std::{error::Error, fs, path::Path};

use simclr_data::ImageDataset;
use tempfile::TempDir;

/// Most images of a set that are read.
const MOST_IMAGES: usize = 20;

/// A folder in memory with these files, which is removed when it is dropped.
///
/// # Panics
///
/// Without memory for them.
pub fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder.path())).expect("a folder in memory");
        fs::write(path, bytes).expect("a file in memory");
    }
    folder
}

/// Writes a first input of a target.
///
/// # Errors
///
/// If it cannot be written.
pub fn seed(corpus: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = corpus.join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

/// Reads what a data set says of its first images.
///
/// # Panics
///
/// If a label has no class, or two images that are not there have a name.
pub fn read(images: &dyn ImageDataset) {
    let classes = images.class_names();
    for index in 0..images.len().min(MOST_IMAGES) {
        let _ = (images.image(index), images.name(index), images.stored_size(index));
        if let Some(label) = images.label(index) {
            assert!(label < classes.len(), "label {label} of {} classes", classes.len());
        }
    }
}

/// A tar archive of two shards' worth of small images: what index files are of.
///
/// # Panics
///
/// Never, as there is memory for it.
#[must_use]
pub fn shard() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut append = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        builder.append_data(&mut header, name, bytes).expect("an archive in memory");
    };
    for number in 0..3_u8 {
        append(&format!("{number}.bmp"), &bitmap(number));
        append(&format!("{number}.cls"), number.to_string().as_bytes());
    }
    builder.into_inner().expect("an archive in memory")
}

/// A BMP file of 2 x 2 pixels.
///
/// # Panics
///
/// Never, as there is memory for it.
#[must_use]
pub fn bitmap(level: u8) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(2, 2, image::Rgb([level; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Bmp).expect("an image in memory");
    bytes.into_inner()
}

/// Gives the bytes of an index file the checksum that they should have: without it, hardly any input would be looked at.
pub fn with_index_checksum(bytes: &mut [u8]) {
    if bytes.len() >= 32 {
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..20]), &bytes[24..]);
        bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// A file with this time of its last change, which index files note.
///
/// # Panics
///
/// If the file system keeps no times.
pub fn set_time(path: &Path) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().write(true).open(path).expect("a file in memory");
    file.set_modified(time).expect("a time");
}
