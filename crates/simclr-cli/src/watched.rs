//! Images whose reading moves a progress bar.

use simclr::data::{BeforeReading, DataError, ImageDataset};

use crate::bar::Bar;

/// A data set that is read once from end to end, under a bar that says `what` is done.
pub(crate) fn watched<D: ImageDataset>(
    what: impl Into<String>,
    images: D,
) -> BeforeReading<D, impl Fn(usize) -> Result<(), DataError> + Send + Sync> {
    watched_from(what, images, 0)
}

/// The same, of which so many images are done already.
pub(crate) fn watched_from<D: ImageDataset>(
    what: impl Into<String>,
    images: D,
    done: usize,
) -> BeforeReading<D, impl Fn(usize) -> Result<(), DataError> + Send + Sync> {
    let bar = Bar::new(what, images.len(), "images");
    bar.set(done);
    BeforeReading::new(images, move |_| {
        bar.add(1);
        Ok(())
    })
}
