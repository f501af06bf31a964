//! What an image becomes.

use std::io;

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};
use image::{ImageError, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use serde_json::json;
use simclr_range::OutOfRange;

use super::{PackConfig, PackFormat, encoded::Encoded};
use crate::{
    DataError, ImageDataset, WholeSet,
    shards::{member_name::RAW_EXTENSION, ppm},
};

/// How the images of a set are stored, checked.
pub(super) struct Settings {
    short_side: Option<u32>,
    format: PackFormat,
    /// In words, with what tells the images: what a file says at its beginning.
    pub(super) text: String,
}

impl Settings {
    pub(super) fn new(images: &WholeSet, config: &PackConfig) -> Result<Self, DataError> {
        let PackConfig { short_side, format, .. } = *config;
        let side = short_side.unwrap_or(1);
        OutOfRange::unless(side > 0, "short_side", "at least 1", side)?;
        if let PackFormat::Jpeg { quality } = format {
            OutOfRange::unless((1..=100).contains(&quality), "quality", "1 to 100", quality)?;
        }
        let names = (0..images.len()).fold(0, |crc, index| {
            let class = images.class(index).unwrap_or_default();
            let text = format!("{}\n{}\n{class}\n", images.name(index), images.split(index));
            crc32c::crc32c_append(crc, text.as_bytes())
        });
        let format_name = match format {
            PackFormat::Raw => "raw".to_owned(),
            PackFormat::Jpeg { quality } => format!("JPEG 4:2:0 of quality {quality}"),
        };
        let text = json!({
            "version": 1,
            "format": format_name,
            "short_side": short_side,
            "images": images.len(),
            "names_crc32c": format!("{names:08x}"),
        });
        Ok(Self { short_side, format, text: text.to_string() })
    }

    /// The end of a member's name.
    pub(super) fn extension(&self) -> &'static str {
        match self.format {
            PackFormat::Raw => RAW_EXTENSION,
            PackFormat::Jpeg { .. } => "jpg",
        }
    }

    pub(super) fn is_raw(&self) -> bool {
        self.format == PackFormat::Raw
    }

    /// Reads an image and stores it in memory.
    pub(super) fn encode(&self, images: &WholeSet, index: usize) -> Result<Encoded, DataError> {
        let image = images.image(index)?;
        let failed = |error: ImageError| DataError::Decode {
            path: images.name(index).into(),
            source: error,
        };
        let image = self.shrunk(image).map_err(failed)?;
        let (width, height) = image.dimensions();
        let bytes = match self.format {
            PackFormat::Raw => [ppm::header(width, height), image.into_raw()].concat(),
            PackFormat::Jpeg { quality } => jpeg(&image, quality).map_err(failed)?,
        };
        Ok(Encoded::new(index, bytes))
    }

    fn shrunk(&self, image: RgbImage) -> Result<RgbImage, ImageError> {
        let (width, height) = image.dimensions();
        let short = width.min(height);
        let Some(side) = self.short_side.filter(|&side| side < short) else { return Ok(image) };
        let scaled = |length: u32| {
            let length = f64::from(length) * f64::from(side) / f64::from(short);
            (length.round() as u32).max(1)
        };
        let (width, height) = (scaled(width), scaled(height));
        resized(&image, width, height).ok_or_else(|| invalid("the image cannot be resized"))
    }
}

fn resized(image: &RgbImage, width: u32, height: u32) -> Option<RgbImage> {
    let (from_width, from_height) = image.dimensions();
    let from = TypedImageRef::<U8x3>::from_buffer(from_width, from_height, image.as_raw()).ok()?;
    let mut resized = RgbImage::new(width, height);
    let mut to = TypedImage::<U8x3>::from_buffer(width, height, &mut resized).ok()?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    // With the type of the pixels known, the compiler makes the code of this one alone.
    Resizer::new().resize_typed(&from, &mut to, &options).ok()?;
    Some(resized)
}

/// With standard Huffman tables: optimised ones put each colour in a scan of its own, which some decoders misread.
fn jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    let side = |length: u32| {
        u16::try_from(length)
            .map_err(|_| invalid("expected sides that a JPEG can have, found longer ones"))
    };
    let (width, height) = (side(image.width())?, side(image.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let encoded = encoder.encode(image.as_raw(), width, height, ColorType::Rgb);
    encoded.map_err(|error| invalid(&error.to_string()))?;
    Ok(bytes)
}

fn invalid(reason: &str) -> ImageError {
    io::Error::new(io::ErrorKind::InvalidData, reason).into()
}
