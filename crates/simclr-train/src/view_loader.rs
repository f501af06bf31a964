//! Batches of views, made ahead of time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::TrainError;
use crate::two_views::{Skipped, TwoViews, ViewSource};

/// Batches that may wait for the training step; one more is in the making.
const PREFETCHED_BATCHES: usize = 2;

/// Hands out an epoch of shuffled batches at a time, while a thread prepares the next ones.
///
/// The order of an epoch depends on the seed and the epoch alone. Images that don't fill a last batch
/// are left to the next epoch, which is shuffled anew. At most four batches exist at a time: two wait,
/// one is being made, one is being learnt from.
pub struct ViewLoader<I> {
    source: Arc<dyn ViewSource<I>>,
    indices: Arc<[usize]>,
    batch_size: usize,
    seed: u64,
    /// The epoch of the next call to `iter`, from 1.
    next_epoch: AtomicUsize,
    device: Device,
    report: Arc<Mutex<LoaderReport>>,
}

/// What a [`ViewLoader`] has met with so far.
#[derive(Debug, Default)]
pub(crate) struct LoaderReport {
    /// The examples that could not be read, each once.
    pub(crate) skipped: BTreeSet<Skipped>,
    /// What ended an epoch early: burn-train's own error for it keeps no more than a text.
    pub(crate) error: Option<TrainError>,
}

impl<I: Send + 'static> ViewLoader<I> {
    /// A loader whose first epoch is `first_epoch`, counted from 1.
    pub fn new(
        source: Arc<dyn ViewSource<I>>,
        batch_size: usize,
        seed: u64,
        first_epoch: usize,
        device: &Device,
    ) -> Self {
        let indices = (0..source.len()).collect();
        let next_epoch = AtomicUsize::new(first_epoch);
        let (device, report) = (device.clone(), Arc::default());
        Self { source, indices, batch_size, seed, next_epoch, device, report }
    }

    /// What the loader meets with; it is filled while epochs run.
    pub(crate) fn report(&self) -> Arc<Mutex<LoaderReport>> {
        Arc::clone(&self.report)
    }

    /// Indices of an epoch's batches.
    fn batches(&self, epoch: usize) -> Vec<Vec<usize>> {
        let mut order = self.indices.to_vec();
        order.shuffle(&mut order_generator(self.seed, epoch));
        order.chunks_exact(self.batch_size).map(<[usize]>::to_vec).collect()
    }

    fn with(&self, indices: Arc<[usize]>, device: &Device) -> Self {
        Self {
            source: Arc::clone(&self.source),
            indices,
            batch_size: self.batch_size,
            seed: self.seed,
            next_epoch: AtomicUsize::new(self.next_epoch.load(Ordering::Relaxed)),
            device: device.clone(),
            report: Arc::clone(&self.report),
        }
    }
}

/// The generator of an epoch's order. Its last two words are none that a view's key has: an image's
/// index is below them.
fn order_generator(seed: u64, epoch: usize) -> ChaCha8Rng {
    let words = [seed, epoch as u64, u64::MAX, u64::MAX];
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

impl<I: Send + 'static> DataLoader<TwoViews<I>> for ViewLoader<I> {
    /// The batches of the next epoch.
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<TwoViews<I>> + 'a> {
        let epoch = self.next_epoch.fetch_add(1, Ordering::Relaxed);
        let batches = self.batches(epoch);
        let (source, device) = (Arc::clone(&self.source), self.device.clone());
        let report = Arc::clone(&self.report);
        let (remaining, total) = (batches.len(), self.num_items());

        let (sender, receiver) = sync_channel(PREFETCHED_BATCHES - 1);
        let worker = std::thread::spawn(move || {
            for indices in batches {
                let batch = source.two_views(epoch as u64, &indices, &device);
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                let views = match batch {
                    Ok(batch) => {
                        report.skipped.extend(batch.skipped);
                        Ok(batch.views)
                    }
                    Err(error) => {
                        let text = error.to_string();
                        report.error = Some(error);
                        Err(TrainError::Engine(text))
                    }
                };
                drop(report);
                let failed = views.is_err();
                // A closed channel means that nobody wants the rest.
                if sender.send((indices.len(), views)).is_err() || failed {
                    return;
                }
            }
        });
        let (receiver, worker) = (Some(receiver), Some(worker));
        Box::new(PrefetchedEpoch { receiver, worker, remaining, processed: 0, total })
    }

    fn num_items(&self) -> usize {
        self.indices.len() / self.batch_size * self.batch_size
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<TwoViews<I>>> {
        Arc::new(self.with(Arc::clone(&self.indices), device))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<TwoViews<I>>> {
        Arc::new(self.with(self.indices[start..end].into(), &self.device))
    }
}

/// Images a batch was made of, and their views; none if no image could be read.
type Message<I> = (usize, Result<Option<TwoViews<I>>, TrainError>);

struct PrefetchedEpoch<I> {
    receiver: Option<Receiver<Message<I>>>,
    worker: Option<JoinHandle<()>>,
    remaining: usize,
    processed: usize,
    total: usize,
}

impl<I> Iterator for PrefetchedEpoch<I> {
    type Item = Result<TwoViews<I>, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.remaining > 0 {
            let Ok((images, views)) = self.receiver.as_ref()?.recv() else {
                // The worker is gone before its last batch: it panicked.
                self.remaining = 0;
                let error = TrainError::Engine("the thread that makes views panicked".to_owned());
                return Some(Err(DatasetError::new(error)));
            };
            self.processed += images;
            self.remaining = if views.is_ok() { self.remaining - 1 } else { 0 };
            if let Some(views) = views.map_err(DatasetError::new).transpose() {
                return Some(views);
            }
        }
        None
    }
}

impl<I> DataLoaderIterator<TwoViews<I>> for PrefetchedEpoch<I> {
    fn progress(&self) -> Progress {
        Progress::new(self.processed, self.total, Some("images".to_owned()))
    }
}

impl<I> Drop for PrefetchedEpoch<I> {
    fn drop(&mut self) {
        drop(self.receiver.take()); // Unblocks a worker that waits to send.
        if let Some(worker) = self.worker.take() {
            // A panic was already reported by `next`, or happened after the last batch was wanted.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_views::ViewBatch;

    /// Hands out the indices themselves, and fails or panics where it is told to.
    struct Indices {
        len: usize,
        fail_at: Option<usize>,
        panic_at: Option<usize>,
        unreadable: Vec<usize>,
    }

    impl ViewSource<(u64, Vec<usize>)> for Indices {
        fn len(&self) -> usize {
            self.len
        }
        fn two_views(
            &self,
            epoch: u64,
            indices: &[usize],
            _: &Device,
        ) -> Result<ViewBatch<(u64, Vec<usize>)>, TrainError> {
            assert!(!indices.iter().any(|&i| Some(i) == self.panic_at), "told to panic");
            if indices.iter().any(|&i| Some(i) == self.fail_at) {
                return Err(TrainError::Engine("told to fail".to_owned()));
            }
            let (unreadable, readable): (Vec<usize>, Vec<usize>) =
                indices.iter().partition(|&i| self.unreadable.contains(i));
            let skip = |index| Skipped { index, reason: format!("{index} is unreadable") };
            let skipped = unreadable.into_iter().map(skip).collect();
            let examples = readable.len();
            let views = (examples > 0).then_some(TwoViews { input: (epoch, readable), examples });
            Ok(ViewBatch { views, skipped })
        }
    }

    fn loader(
        fail_at: Option<usize>,
        panic_at: Option<usize>,
        epoch: usize,
    ) -> ViewLoader<(u64, Vec<usize>)> {
        let source = Arc::new(Indices { len: 23, fail_at, panic_at, unreadable: Vec::new() });
        ViewLoader::new(source, 5, 7, epoch, &Device::flex())
    }

    fn epoch(loader: &ViewLoader<(u64, Vec<usize>)>) -> Vec<(u64, Vec<usize>)> {
        loader.iter().map(|batch| batch.unwrap().input).collect()
    }

    #[test]
    fn an_epoch_is_whole_batches_of_different_images() {
        let batches = epoch(&loader(None, None, 1));
        assert_eq!(batches.len(), 4);
        let mut seen: Vec<usize> = batches.into_iter().flat_map(|(_, indices)| indices).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
    }

    #[test]
    fn epochs_differ_and_a_resumed_loader_continues_with_the_same_ones() {
        let whole = loader(None, None, 1);
        let (first, second, third) = (epoch(&whole), epoch(&whole), epoch(&whole));
        assert_ne!(first[0].1, second[0].1);
        assert_eq!(
            [second, third],
            [(); 2].map({
                let resumed = loader(None, None, 2);
                move |()| epoch(&resumed)
            })
        );
    }

    #[test]
    fn an_error_ends_the_epoch_and_is_handed_on() {
        let results: Vec<_> = loader(Some(3), None, 1).iter().collect();
        assert!(results.last().unwrap().as_ref().unwrap_err().to_string().contains("told to fail"));
        assert_eq!(results.iter().filter(|r| r.is_err()).count(), 1);
    }

    #[test]
    fn a_panic_of_the_worker_is_an_error_and_no_hang() {
        let results: Vec<_> = loader(None, Some(3), 1).iter().collect();
        assert!(results.last().unwrap().as_ref().unwrap_err().to_string().contains("panicked"));
    }

    #[test]
    fn unreadable_images_are_counted_once_and_a_batch_of_nothing_else_is_passed_over() {
        let source =
            Indices { len: 6, fail_at: None, panic_at: None, unreadable: vec![0, 1, 2, 3, 4] };
        let loader = ViewLoader::new(Arc::new(source), 3, 7, 1, &Device::flex());
        for _ in 0..2 {
            let batches: Vec<_> = loader.iter().map(|batch| batch.unwrap().input.1).collect();
            assert_eq!(batches, [[5]]);
        }
        assert_eq!(loader.report().lock().unwrap().skipped.len(), 5);
    }

    #[test]
    fn an_epoch_can_be_left_early_without_a_hang() {
        let loader = loader(None, None, 1);
        drop(loader.iter());
        let mut started = loader.iter();
        started.next();
        drop(started);
    }

    #[test]
    fn progress_counts_images() {
        let loader = loader(None, None, 1);
        let mut batches = loader.iter();
        batches.next();
        batches.next();
        assert_eq!((batches.progress().items_processed, batches.progress().items_total), (10, 20));
    }
}
