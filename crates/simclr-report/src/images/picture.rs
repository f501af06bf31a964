//! Pictures inside the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, RgbImage};
use maud::{Markup, Render, html};

use crate::error::ReportError;

/// JPEG's quality for single pictures, 1 to 100.
const QUALITY: u8 = 88;

/// A picture as a `data:` address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) address: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Picture {
    pub(crate) fn new(image: &RgbImage) -> Result<Self, ReportError> {
        Self::with_quality(image, QUALITY)
    }

    /// The picture, shrunk until its longer side is at most `side`.
    pub(crate) fn within(image: &RgbImage, side: u32) -> Result<Self, ReportError> {
        let longer = image.width().max(image.height());
        if longer <= side {
            return Self::new(image);
        }
        let length = |length: u32| {
            ((f64::from(length) * f64::from(side) / f64::from(longer)).round() as u32).max(1)
        };
        let [width, height] = [image.width(), image.height()].map(length);
        Self::new(&imageops::resize(image, width, height, FilterType::Triangle))
    }

    /// The picture at a JPEG quality from 1 to 100.
    pub(crate) fn with_quality(image: &RgbImage, quality: u8) -> Result<Self, ReportError> {
        let (width, height) = image.dimensions();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .encode(image.as_raw(), width, height, ExtendedColorType::Rgb8)
            .map_err(ReportError::Picture)?;
        let address = format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes));
        Ok(Self { address, width, height })
    }

    /// An `img` element with an alternative text.
    pub(crate) fn to_markup(&self, alternative: &dyn Render) -> Markup {
        let Self { address, width, height } = self;
        html! { img src=(address) width=(width) height=(height) alt=(alternative); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_shrunk_to_its_longer_side_and_never_enlarged() {
        for (size, expected) in [((200, 100), (64, 32)), ((1, 300), (1, 64)), ((20, 30), (20, 30))]
        {
            let picture = Picture::within(&RgbImage::new(size.0, size.1), 64).unwrap();
            assert_eq!((picture.width, picture.height), expected);
            assert!(picture.address.starts_with("data:image/jpeg;base64,/9j/"));
        }
    }
}
