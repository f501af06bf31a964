//! The monitor in the shape of a validation split: one item an epoch, or none.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use crate::monitor::Monitor;

/// Hands the monitor, if there is one, to each epoch's validation.
pub(crate) struct MonitorLoader<E> {
    monitor: Option<Arc<dyn Monitor<E>>>,
}

impl<E> MonitorLoader<E> {
    pub(crate) fn new(monitor: Option<Arc<dyn Monitor<E>>>) -> Self {
        Self { monitor }
    }
}

impl<E: 'static> DataLoader<Arc<dyn Monitor<E>>> for MonitorLoader<E> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Arc<dyn Monitor<E>>> + 'a> {
        Box::new(Once { monitor: self.monitor.clone(), total: self.num_items() })
    }

    fn num_items(&self) -> usize {
        usize::from(self.monitor.is_some())
    }

    /// The monitor stays on the device it was made for.
    fn to_device(&self, _device: &Device) -> Arc<dyn DataLoader<Arc<dyn Monitor<E>>>> {
        Arc::new(Self { monitor: self.monitor.clone() })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Arc<dyn Monitor<E>>>> {
        Arc::new(Self { monitor: self.monitor.clone().filter(|_| start == 0 && end > 0) })
    }
}

struct Once<E> {
    monitor: Option<Arc<dyn Monitor<E>>>,
    total: usize,
}

impl<E> Iterator for Once<E> {
    type Item = Result<Arc<dyn Monitor<E>>, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.monitor.take().map(Ok)
    }
}

impl<E> DataLoaderIterator<Arc<dyn Monitor<E>>> for Once<E> {
    fn progress(&self) -> Progress {
        Progress::new(self.total - usize::from(self.monitor.is_some()), self.total, None)
    }
}
