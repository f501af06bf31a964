//! An image on the page.

use simclr_augment::EvaluationTransform;

use crate::error::ReportError;
use crate::images::gallery::Gallery;
use crate::images::picture::Picture;
use crate::text::Text;

/// Longest side of a picture.
const SIDE: u32 = 88;

/// An image as the encoder sees it, with its names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) picture: Picture,
    pub(crate) name: Text,
    pub(crate) class: Option<Text>,
}

impl Shown {
    pub(crate) fn new(
        gallery: &Gallery,
        row: usize,
        transform: &EvaluationTransform,
    ) -> Result<Self, ReportError> {
        let seen = transform.view(&gallery.image(row)?)?;
        Ok(Self {
            picture: Picture::within(&seen, SIDE)?,
            name: gallery.name(row),
            class: gallery.class(row),
        })
    }
}
