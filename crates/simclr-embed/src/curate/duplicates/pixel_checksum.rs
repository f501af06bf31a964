//! What tells the pixels of one image from those of others.

use image::RgbImage;
use sha2::{Digest, Sha256};

/// SHA-256 of an image's size and of all its pixels: images are the same pixel by pixel if theirs are equal.
///
/// ```
/// use image::RgbImage;
/// use simclr_embed::pixel_checksum;
///
/// let black = RgbImage::new(6, 4);
/// assert_eq!(pixel_checksum(&black), pixel_checksum(&RgbImage::new(6, 4)));
/// assert_ne!(pixel_checksum(&black), pixel_checksum(&RgbImage::new(4, 6)));
/// ```
#[must_use]
pub fn pixel_checksum(image: &RgbImage) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(image.width().to_le_bytes());
    hasher.update(image.height().to_le_bytes());
    hasher.update(image.as_raw());
    hasher.finalize().into()
}
