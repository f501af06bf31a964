//! Images that a run that is told to stop reads no more.

use std::sync::Arc;

use burn::train::Interrupter;
use simclr_data::{BeforeReading, DataError, ImageDataset};

/// Images that cannot be read any more as soon as the run is told to stop, so that nobody waits until all are embedded.
pub(crate) fn stoppable(
    images: &Arc<dyn ImageDataset>,
    interrupter: &Interrupter,
) -> impl ImageDataset + use<> {
    let (interrupter, names) = (interrupter.clone(), Arc::clone(images));
    BeforeReading::new(Arc::clone(images), move |index| {
        if !interrupter.should_stop() {
            return Ok(());
        }
        let source = std::io::Error::other("the run was told to stop");
        Err(DataError::Io { path: names.name(index).into(), source })
    })
}
