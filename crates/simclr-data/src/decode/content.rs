//! What a file holds, whatever it is called.

use std::{fs::File, io::Read, path::Path};

use image::ImageFormat::{self, Bmp, Gif, Jpeg, Png, Tiff, WebP};

/// The bytes at a file's beginning that tell what it is.
const BEGINNING: usize = 132;

/// How files begin that are often called like images: the offset, the bytes there, and the name of what follows.
const OTHERS: [(usize, &[u8], &str); 22] = [
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftyp", "a video"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (128, b"DICM", "DICOM"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\0\x05\x16\x07", "a Mac's notes on a file"),
    (0, b"version https://git-lfs", "a Git LFS pointer in place of the file"),
    (0, b"<?xml", "XML"),
    (0, b"<svg", "SVG"),
    (0, b"<", "a web page"),
    (0, b"{", "JSON"),
];

/// What a file's first bytes say that it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Content {
    /// An image of a format that is read.
    Image(ImageFormat),
    /// Another image, or no image.
    Other(&'static str),
}

impl Content {
    /// Goes by the beginning of a file, or all of it.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Other("an empty file");
        }
        if let Ok(format @ (Jpeg | Png | WebP | Bmp | Gif | Tiff)) = image::guess_format(bytes) {
            return Self::Image(format);
        }
        let is = |&&(offset, magic, _): &&(usize, &[u8], &str)| {
            bytes.get(offset..).is_some_and(|bytes| bytes.starts_with(magic))
        };
        if let Some((.., name)) = OTHERS.iter().find(is) {
            return Self::Other(name);
        }
        let beginning = &bytes[..bytes.len().min(BEGINNING)];
        Self::Other(match beginning {
            _ if beginning.iter().all(|&byte| byte == 0) => "zeros",
            _ if beginning.is_ascii() && !beginning.contains(&0) => "text",
            _ => "none that is known",
        })
    }

    /// Goes by the file at `path`; `None` if it cannot be read.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let mut beginning = Vec::with_capacity(BEGINNING);
        File::open(path).ok()?.take(BEGINNING as u64).read_to_end(&mut beginning).ok()?;
        Some(Self::of(&beginning))
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image(Jpeg) => "JPEG",
            Self::Image(Png) => "PNG",
            Self::Image(WebP) => "WebP",
            Self::Image(Bmp) => "BMP",
            Self::Image(Gif) => "GIF",
            Self::Image(Tiff) => "TIFF",
            Self::Image(_) => "an image",
            Self::Other(name) => name,
        }
    }
}

/// The format of an image file that is called like one of another format: `GIF` for a GIF in `photo.jpg`. Such a file is
/// read as what it holds. `None` for all other files.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("photo.jpg");
/// image::RgbImage::new(4, 4).save_with_format(&path, image::ImageFormat::Gif)?;
/// assert_eq!(simclr_data::misnamed(&path), Some("GIF"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn misnamed(path: impl AsRef<Path>) -> Option<&'static str> {
    let extension = path.as_ref().extension()?.to_ascii_lowercase();
    let named = if extension == "jpe" { Jpeg } else { ImageFormat::from_extension(extension)? };
    let content = Content::of_file(path.as_ref())?;
    matches!(content, Content::Image(format) if format != named).then(|| content.name())
}
