//! Picture files.

use std::io::{self, Cursor};
use std::path::Path;

use image::{DynamicImage, ImageFormat};
use simclr::data::replace_file;

/// Writes a picture. The file appears as a whole or not at all.
pub(crate) fn write_image(
    image: &DynamicImage,
    format: ImageFormat,
    path: &Path,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).map_err(io::Error::other)?;
    replace_file(path, |file| file.write_all(&bytes))
}
