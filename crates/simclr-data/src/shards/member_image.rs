//! From the bytes of a shard to an image.

use std::{
    fs::File,
    io::{self, ErrorKind},
};

use image::{ImageError, RgbImage};

use super::{columns::Columns, positioned::read_exact_at, ppm, tar_header::BLOCK};
use crate::{ImagePart, PartialImage, decode_part_bytes_on, patience::patiently};

/// Longest member that is read.
const MOST_BYTES: u32 = 512 << 20;

/// Why there is no image.
#[derive(Debug)]
pub(super) enum ImageFault {
    /// The file ends before it, or another header lies before it.
    Changed(&'static str),
    /// The shard was cut off within the image before it was opened.
    CutOff,
    Unreadable(io::Error),
    Decode(ImageError),
}

impl From<io::Error> for ImageFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The file was long enough a moment before.
            ErrorKind::UnexpectedEof => Self::Changed("it was cut off"),
            _ => Self::Unreadable(error),
        }
    }
}

impl From<ImageError> for ImageFault {
    fn from(error: ImageError) -> Self {
        Self::Decode(error)
    }
}

/// Reads at least the part that `choose` asks for of the image at `index` in a file of `len` bytes. The header before it must be the one that was there when the file
/// was looked through, and its own checksum, if it has one, must be right.
pub(super) fn read(
    file: &File,
    len: u64,
    images: &Columns,
    index: usize,
    ground: [u8; 3],
    choose: &mut dyn FnMut(u32, u32) -> ImagePart,
) -> Result<PartialImage, ImageFault> {
    let (offset, length) = (images.offsets[index], images.lengths[index]);
    if length > MOST_BYTES {
        return Err(refused(format!("expected a file of at most {MOST_BYTES} bytes, found more")));
    }
    let start = offset.checked_sub(BLOCK as u64);
    let end = offset.checked_add(u64::from(length));
    let (Some(start), Some(_)) = (start, end.filter(|&end| end <= len)) else {
        return Err(ImageFault::CutOff);
    };
    let member = Member { file, start, length: length as usize, images, index };
    if images.raw[index] == 1 {
        let image = member.raw()?;
        choose(image.width(), image.height());
        return Ok(PartialImage::whole(image));
    }
    Ok(decode_part_bytes_on(&member.bytes()?[BLOCK..], ground, choose)?)
}

/// An image's header and its bytes, all of which the file has.
struct Member<'a> {
    file: &'a File,
    /// Where the header begins.
    start: u64,
    /// Bytes after the header.
    length: usize,
    images: &'a Columns,
    index: usize,
}

impl Member<'_> {
    /// `length` bytes from byte `at` of header and member.
    fn part(&self, at: usize, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        patiently(|| read_exact_at(self.file, &mut bytes, self.start + at as u64))?;
        Ok(bytes)
    }

    /// Header and member by one read.
    fn bytes(&self) -> Result<Vec<u8>, ImageFault> {
        let bytes = self.part(0, BLOCK + self.length)?;
        self.check_header(&bytes[..BLOCK])?;
        self.check_data(crc32c::crc32c(&bytes[BLOCK..]))?;
        Ok(bytes)
    }

    /// An image without compression, whose pixels are read to where they stay.
    fn raw(&self) -> Result<RgbImage, ImageFault> {
        let beginning = self.part(0, BLOCK + self.length.min(ppm::MOST_HEADER))?;
        self.check_header(&beginning[..BLOCK])?;
        let Some((width, height, header)) = ppm::parse(&beginning[BLOCK..]) else {
            return Err(refused("expected a binary PPM of 8 bits a channel, found another file"));
        };
        let pixels = u64::from(width).checked_mul(u64::from(height));
        let bytes = pixels.and_then(|pixels| pixels.checked_mul(3));
        let found = self.length - header;
        if bytes != Some(found as u64) {
            return Err(refused(format!(
                "expected {width} x {height} pixels of 3 bytes, found {found} bytes"
            )));
        }
        let pixels = self.part(BLOCK + header, found)?;
        let crc = crc32c::crc32c(&beginning[BLOCK..BLOCK + header]);
        self.check_data(crc32c::crc32c_append(crc, &pixels))?;
        RgbImage::from_raw(width, height, pixels)
            .ok_or_else(|| refused("expected as many bytes as pixels, found fewer"))
    }

    fn check_header(&self, bytes: &[u8]) -> Result<(), ImageFault> {
        if crc32c::crc32c(bytes) == self.images.header_crcs[self.index] {
            Ok(())
        } else {
            Err(ImageFault::Changed("another header is where one of an image was"))
        }
    }

    fn check_data(&self, found: u32) -> Result<(), ImageFault> {
        match self.images.data_crcs[self.index] {
            0 => Ok(()),
            expected if expected == found => Ok(()),
            expected => Err(refused(format!(
                "expected bytes with the checksum {expected:08x}, found {found:08x}"
            ))),
        }
    }
}

fn refused(reason: impl Into<String>) -> ImageFault {
    ImageFault::Decode(io::Error::new(ErrorKind::InvalidData, reason.into()).into())
}
