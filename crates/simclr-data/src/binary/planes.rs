//! Images stored channel by channel.

use image::{Rgb, RgbImage};

/// An image of `side` x `side` pixels from three planes of `side * side` bytes: red, green, blue. `position(row,
/// column)` is the index of a pixel in its plane.
///
/// # Panics
///
/// If `planes` is shorter than three planes.
pub(crate) fn to_image(
    planes: &[u8],
    side: usize,
    position: impl Fn(usize, usize) -> usize,
) -> RgbImage {
    let plane = side * side;
    RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let at = position(y as usize, x as usize);
        Rgb([planes[at], planes[plane + at], planes[2 * plane + at]])
    })
}
