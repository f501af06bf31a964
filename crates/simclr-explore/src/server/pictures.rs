//! The images, one at a time.

use super::answer::{Answer, Refusal, bytes_of, json_of};
use super::item::{Item, check_row};
use crate::exploration::Exploration;
use crate::images::Size;

/// An image as JPEG.
pub(super) fn picture(exploration: &Exploration, row: usize, size: Size) -> Answer {
    let index = exploration.indices[check_row(exploration, row)?];
    let picture = exploration.thumbnails.get(size, index);
    let picture = picture.map_err(|error| Refusal::none(error.to_string()))?;
    // Another server has another token, and so other addresses.
    Ok(bytes_of("image/jpeg", picture).with("cache-control", "private, max-age=3600"))
}

/// What is known of an image.
pub(super) fn item(exploration: &Exploration, row: usize) -> Answer {
    let row = check_row(exploration, row)?;
    Ok(json_of(&Item::new(exploration, &exploration.labelling(), row)))
}
