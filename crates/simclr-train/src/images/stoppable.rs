//! Images that a run that is told to stop reads no more.

use std::path::PathBuf;
use std::sync::Arc;

use burn::train::Interrupter;
use image::RgbImage;
use simclr_data::{DataError, ImageDataset, ImagePart, PartialImage};

/// Images that cannot be read any more as soon as the run is told to stop, so that nobody waits until all are embedded.
pub(crate) struct Stoppable {
    images: Arc<dyn ImageDataset>,
    interrupter: Interrupter,
}

impl Stoppable {
    pub(crate) fn new(images: Arc<dyn ImageDataset>, interrupter: &Interrupter) -> Self {
        Self { images, interrupter: interrupter.clone() }
    }

    /// An error once the run is told to stop.
    fn go_on(&self, index: usize) -> Result<(), DataError> {
        if self.interrupter.should_stop() {
            let source = std::io::Error::other("the run was told to stop");
            return Err(DataError::Io { path: self.images.name(index).into(), source });
        }
        Ok(())
    }
}

impl ImageDataset for Stoppable {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        self.go_on(index)?;
        self.images.image(index)
    }

    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        self.go_on(index)?;
        self.images.image_part(index, choose)
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
}
