//! Images whose reading moves a progress bar.

use std::path::PathBuf;

use image::RgbImage;
use simclr::data::{DataError, ImageDataset};

use crate::bar::Bar;

/// A data set that is read once from end to end, under a bar.
pub(crate) struct Watched<D> {
    images: D,
    bar: Bar,
}

impl<D: ImageDataset> Watched<D> {
    pub(crate) fn new(what: impl Into<String>, images: D) -> Self {
        Self { bar: Bar::new(what, images.len(), "images"), images }
    }
}

impl<D: ImageDataset> ImageDataset for Watched<D> {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        let image = self.images.image(index);
        self.bar.add(1);
        image
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.images.label(index)
    }

    fn class_names(&self) -> &[String] {
        self.images.class_names()
    }

    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.images.path(index)
    }

    fn stored_size(&self, index: usize) -> Option<u64> {
        self.images.stored_size(index)
    }
}
