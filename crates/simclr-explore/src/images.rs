//! The images, small enough for the page.

mod jpeg;
mod thumbnails;

pub(crate) use self::thumbnails::{Size, Thumbnails};
