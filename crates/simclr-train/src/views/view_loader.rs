//! Views of shuffled examples, made ahead of the training step.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;

use crate::error::TrainError;
use crate::views::epoch_views::{Chunks, EpochViews, MadeChunk};
use crate::views::labels::labels_of;
use crate::views::order::Order;
use crate::views::prefetch::Prefetch;
use crate::views::unreadable::Unreadable;
use crate::views::view_source::{LabelledViews, Skipped, ViewSource};

/// Chunks of a device that are made or being made beyond those of the current step, at least and at most.
const FEWEST_AHEAD: usize = 2;
const MOST_AHEAD: usize = 4;

/// Bytes of views of a device that are made or being made beyond those of the current step. [`FEWEST_AHEAD`] may be more.
const BYTES_AHEAD: usize = 512 << 20;

/// The sizes of an epoch, a step and a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepLayout {
    /// Examples of a step.
    pub batch_size: usize,
    /// Examples of a chunk, a divisor of the batch size. The views of a chunk are made and encoded together.
    pub chunk_size: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: usize,
}

/// Shuffles the examples, and makes views on threads of its own, ahead of the training step.
///
/// Examples come in passes over the data set. Only the seed and the number of a pass determine its order, and examples
/// that don't fill a last batch wait for the next pass. An epoch is the next
/// [`steps_per_epoch`](StepLayout::steps_per_epoch) steps, whether a pass ends there or not.
///
/// Several chunks are made at a time, and handed over in their order: one more than there are devices, so that a chunk
/// that takes long holds no device up. For each device 2 to 4 chunks are made ahead of the current step, as many as fit
/// into 512 MiB by [`ViewSource::example_bytes`]. Threads go on between two epochs, while the encoder is evaluated.
pub struct ViewLoader<I: Send + 'static> {
    source: Arc<dyn ViewSource<I>>,
    layout: StepLayout,
    /// The epochs of the run.
    epochs: usize,
    seed: u64,
    devices: Vec<Device>,
    unreadable: Arc<Mutex<Unreadable>>,
    /// The chunks after the last epoch that was read to its end.
    chunks: Arc<Mutex<Option<Chunks<I>>>>,
}

impl<I: Send + 'static> ViewLoader<I> {
    /// A loader that puts chunk c of each step on device c modulo the number of `devices`.
    ///
    /// # Panics
    ///
    /// If there is no device, if the source has fewer examples than a batch, if a size of the layout is zero, or if the
    /// chunk size doesn't divide the batch size.
    #[must_use]
    pub fn new(
        source: Arc<dyn ViewSource<I>>,
        layout: StepLayout,
        seed: u64,
        devices: &[Device],
    ) -> Self {
        let StepLayout { batch_size, chunk_size, steps_per_epoch } = layout;
        assert!(!devices.is_empty(), "expected a device, found none");
        assert!(
            chunk_size > 0 && batch_size > 0 && batch_size.is_multiple_of(chunk_size),
            "expected chunks that fill a batch of {batch_size}, found chunks of {chunk_size}"
        );
        assert!(steps_per_epoch > 0, "expected at least 1 step in an epoch, found 0");
        assert!(
            source.len() >= batch_size,
            "expected at least a batch of {batch_size} examples, found {}",
            source.len()
        );
        let unreadable = Arc::new(Mutex::new(Unreadable::new(source.len(), 1.0)));
        let (devices, chunks) = (devices.to_vec(), Arc::default());
        Self { source, layout, epochs: usize::MAX, seed, devices, unreadable, chunks }
    }

    /// Makes no views beyond this number of epochs. By default there is no end.
    #[must_use]
    pub fn with_epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// Stops where more than this share of the examples, in 0..=1, cannot be read. By default, unreadable examples are
    /// skipped however many they are.
    #[must_use]
    pub fn with_max_skipped(self, share: f64) -> Self {
        let unreadable = Unreadable::new(self.source.len(), share);
        Self { unreadable: Arc::new(Mutex::new(unreadable)), ..self }
    }

    /// The examples that could not be read so far, each once.
    #[must_use]
    pub fn skipped(&self) -> Vec<Skipped> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).skipped()
    }

    /// The examples that could not be read for the first time since this was last asked.
    pub(crate) fn take_untold(&self) -> Vec<Skipped> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).take_untold()
    }

    pub(crate) fn views_per_example(&self) -> usize {
        self.source.views_per_example()
    }

    pub(crate) fn layout(&self) -> StepLayout {
        self.layout
    }

    /// Examples of an epoch.
    #[must_use]
    pub fn examples_per_epoch(&self) -> usize {
        self.layout.batch_size * self.layout.steps_per_epoch
    }

    /// The views of an epoch. Epochs count from 1.
    #[must_use]
    pub fn epoch(&self, epoch: usize) -> EpochViews<I> {
        self.epoch_after(epoch, 0)
    }

    /// Begins to make the views of an epoch without its first `done` steps, which [`epoch_after`](Self::epoch_after) then
    /// hands out.
    pub(crate) fn begin(&self, epoch: usize, done: usize) {
        drop(self.epoch_after(epoch, done));
    }

    /// The views of an epoch without its first `done` steps.
    pub(crate) fn epoch_after(&self, epoch: usize, done: usize) -> EpochViews<I> {
        let StepLayout { batch_size, chunk_size, steps_per_epoch } = self.layout;
        let first_step = (epoch - 1) * steps_per_epoch + done;
        let chunks_per_step = batch_size / chunk_size;
        let first = first_step * chunks_per_step;
        let mut home = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let running = home.take().filter(|chunks| chunks.due() == first);
        let chunks = running.unwrap_or_else(|| self.chunks(first));
        EpochViews::new(
            chunks,
            Arc::clone(&self.chunks),
            Arc::clone(&self.unreadable),
            (epoch * steps_per_epoch).saturating_sub(first_step),
            chunks_per_step,
        )
    }

    /// The chunks of the run from number `first` on.
    fn chunks(&self, first: usize) -> Chunks<I> {
        let (source, devices) = (Arc::clone(&self.source), self.devices.clone());
        let StepLayout { batch_size, chunk_size, steps_per_epoch } = self.layout;
        let chunks_per_step = batch_size / chunk_size;
        let end = self.epochs.saturating_mul(steps_per_epoch).saturating_mul(chunks_per_step);
        let chunk_bytes = source.example_bytes().saturating_mul(chunk_size).max(1);
        let ahead = devices.len() * (BYTES_AHEAD / chunk_bytes).clamp(FEWEST_AHEAD, MOST_AHEAD);
        let threads = devices.len() + 1;
        let order = Mutex::new(Order::new(source.len(), batch_size, self.seed));
        let make = move |chunk: usize| -> Result<MadeChunk<I>, TrainError> {
            let (step, number) = (chunk / chunks_per_step, chunk % chunks_per_step);
            let (pass, indices) = {
                let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
                let (pass, batch) = order.step(step);
                (pass, batch[number * chunk_size..][..chunk_size].to_vec())
            };
            let device = &devices[number % devices.len()];
            let made = source.views(pass as u64, &indices, device)?;
            let labels = labels_of(&*source, &indices, &made.skipped);
            let of_chunk = |views| LabelledViews { views, labels, chunk: number };
            let views = made.views.map(of_chunk);
            Ok(MadeChunk { indices, skipped: made.skipped, views })
        };
        Prefetch::new(first, end, ahead, threads, make)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TrainError;
    use crate::views::view_source::{ViewBatch, Views};

    /// A source whose views are the indices themselves, and whose labels are 100 more if it is small. It fails, or panics, at a given example.
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
        fn label(&self, index: usize) -> Option<usize> {
            (self.len < 10).then_some(100 + index)
        }
        fn views(
            &self,
            pass: u64,
            indices: &[usize],
            _: &Device,
        ) -> Result<ViewBatch<(u64, Vec<usize>)>, TrainError> {
            assert!(!indices.iter().any(|&i| Some(i) == self.panic_at), "told to panic");
            if indices.iter().any(|&i| Some(i) == self.fail_at) {
                return Err(TrainError::stopped("told to fail"));
            }
            let (unreadable, readable): (Vec<usize>, Vec<usize>) =
                indices.iter().partition(|&i| self.unreadable.contains(i));
            let skip = |index| Skipped { index, reason: format!("{index} is unreadable") };
            let skipped = unreadable.into_iter().map(skip).collect();
            let examples = readable.len();
            let views = (examples > 0).then(|| Views::new((pass, readable), 2, examples));
            Ok(ViewBatch { views, skipped })
        }
    }

    type Chunk = LabelledViews<(u64, Vec<usize>)>;

    fn indices(len: usize) -> Indices {
        Indices { len, fail_at: None, panic_at: None, unreadable: Vec::new() }
    }

    fn loader(source: Indices, layout: [usize; 3]) -> ViewLoader<(u64, Vec<usize>)> {
        let [batch_size, chunk_size, steps_per_epoch] = layout;
        let layout = StepLayout { batch_size, chunk_size, steps_per_epoch };
        ViewLoader::new(Arc::new(source), layout, 7, &[Device::flex()])
    }

    /// The results of an epoch, step by step and chunk by chunk.
    fn results(
        loader: &ViewLoader<(u64, Vec<usize>)>,
        epoch: usize,
    ) -> Vec<Vec<Result<Chunk, TrainError>>> {
        let mut views = loader.epoch(epoch);
        let mut steps = Vec::new();
        while let Some(step) = views.next_step() {
            steps.push(step.collect());
        }
        steps
    }

    /// The pass and the indices of each step.
    fn steps(loader: &ViewLoader<(u64, Vec<usize>)>, epoch: usize) -> Vec<(u64, Vec<usize>)> {
        let whole = |chunks: Vec<Result<Chunk, TrainError>>| {
            let chunks: Vec<_> = chunks
                .into_iter()
                .map(|chunk| chunk.unwrap().views.into_inputs().remove(0))
                .collect();
            (chunks[0].0, chunks.into_iter().flat_map(|(_, indices)| indices).collect())
        };
        results(loader, epoch).into_iter().map(whole).collect()
    }

    #[test]
    fn a_pass_is_whole_batches_of_different_examples() {
        let batches = steps(&loader(indices(23), [5, 5, 4]), 1);
        assert_eq!(batches.len(), 4);
        let mut seen: Vec<usize> = batches.into_iter().flat_map(|(_, indices)| indices).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
    }

    #[test]
    fn epochs_differ_and_do_not_depend_on_those_before() {
        let whole = loader(indices(23), [5, 5, 4]);
        let (first, second, third) = (steps(&whole, 1), steps(&whole, 2), steps(&whole, 3));
        assert_ne!(first[0].1, second[0].1);
        let resumed = loader(indices(23), [5, 5, 4]);
        assert_eq!([third, second], [steps(&resumed, 3), steps(&resumed, 2)]);
    }

    #[test]
    fn an_epoch_goes_on_after_any_of_its_steps() {
        let loader = loader(indices(23), [5, 5, 4]);
        let whole = steps(&loader, 2);
        for done in 0..=4 {
            let mut views = loader.epoch_after(2, done);
            let mut rest = Vec::new();
            while let Some(step) = views.next_step() {
                rest.extend(step.map(|chunk| chunk.unwrap().views.into_inputs().remove(0)));
            }
            assert_eq!(rest, whole[done..]);
        }
    }

    #[test]
    fn more_unreadable_examples_than_allowed_end_the_epoch() {
        // A pass leaves three examples out: whichever they are, three of these are among the others.
        let source = Indices { unreadable: (0..6).collect(), ..indices(23) };
        let loader = loader(source, [5, 1, 4]).with_max_skipped(0.1);
        let results: Vec<_> = results(&loader, 1).into_iter().flatten().collect();
        let error = results.last().unwrap().as_ref().unwrap_err();
        assert!(
            matches!(error, TrainError::TooManySkipped { skipped: 3, examples: 23, .. }),
            "{error}"
        );
    }

    #[test]
    fn epochs_of_any_length_cut_the_same_stream_of_passes() {
        let passes = loader(indices(23), [5, 5, 4]);
        let stream: Vec<_> = (1..=3).flat_map(|pass| steps(&passes, pass)).collect();
        let threes = loader(indices(23), [5, 5, 3]);
        let cut: Vec<_> = (1..=4).flat_map(|epoch| steps(&threes, epoch)).collect();
        assert_eq!(cut, stream);
        assert_eq!(stream.iter().map(|(pass, _)| *pass).max(), Some(3));
    }

    #[test]
    fn chunks_cut_the_same_batches() {
        let (whole, halves) = (loader(indices(23), [6, 6, 3]), loader(indices(23), [6, 3, 3]));
        assert_eq!(results(&halves, 1)[0].len(), 2);
        assert_eq!(steps(&halves, 1), steps(&whole, 1));
    }

    #[test]
    fn an_error_ends_the_epoch_and_is_handed_on() {
        let source = Indices { fail_at: Some(3), ..indices(23) };
        let results: Vec<_> =
            results(&loader(source, [5, 5, 4]), 1).into_iter().flatten().collect();
        assert!(results.last().unwrap().as_ref().unwrap_err().to_string().contains("told to fail"));
        assert_eq!(results.iter().filter(|r| r.is_err()).count(), 1);
    }

    #[test]
    fn a_panic_of_the_worker_is_an_error_and_does_not_hang() {
        let source = Indices { panic_at: Some(3), ..indices(23) };
        let results: Vec<_> =
            results(&loader(source, [5, 5, 4]), 1).into_iter().flatten().collect();
        assert!(results.last().unwrap().as_ref().unwrap_err().to_string().contains("panicked"));
    }

    #[test]
    fn unreadable_examples_are_counted_once_and_a_chunk_without_others_is_left_out() {
        let source = Indices { unreadable: vec![0, 1, 2, 3, 4], ..indices(6) };
        let loader = loader(source, [6, 1, 1]);
        for epoch in 1..=2 {
            assert_eq!(steps(&loader, epoch)[0].1, [5]);
        }
        assert_eq!(loader.skipped().len(), 5);
    }

    #[test]
    fn a_chunk_keeps_its_number_where_others_are_left_out() {
        let source = Indices { unreadable: vec![1, 3, 4], ..indices(6) };
        let chunks: Vec<Chunk> = results(&loader(source, [6, 1, 1]), 1)
            .into_iter()
            .flatten()
            .map(Result::unwrap)
            .collect();
        let whole = steps(&loader(indices(6), [6, 1, 1]), 1).remove(0).1;
        assert_eq!(chunks.len(), 3);
        for chunk in chunks {
            assert_eq!(chunk.views.into_inputs()[0].1, [whole[chunk.chunk]]);
        }
    }

    #[test]
    fn labels_keep_to_the_rows_of_the_examples_that_could_be_read() {
        for chunk_size in [1, 3, 9] {
            let source = Indices { unreadable: vec![0, 3, 4, 8], ..indices(9) };
            let loader = loader(source, [9, chunk_size, 1]);
            let mut seen = 0;
            for chunk in results(&loader, 1).into_iter().flatten() {
                let LabelledViews { views, labels, .. } = chunk.unwrap();
                seen += views.examples();
                let [(_, indices)] = &views.into_inputs()[..] else { panic!("one size") };
                let expected: Vec<usize> = indices.iter().map(|index| 100 + index).collect();
                assert_eq!(labels, Some(expected));
            }
            assert_eq!(seen, 5);
        }
        let unlabelled = loader(indices(10), [5, 5, 1]);
        assert_eq!(results(&unlabelled, 1)[0][0].as_ref().unwrap().labels, None);
    }

    #[test]
    fn views_of_the_next_epoch_are_made_before_it_begins_and_none_after_the_last() {
        let loader = loader(indices(23), [5, 5, 2]).with_epochs(2);
        let expected = steps(&self::loader(indices(23), [5, 5, 2]), 2);
        let wait_for = |ready: usize| {
            let made = || {
                let chunks = loader.chunks.lock().unwrap();
                chunks.as_ref().map_or(0, Prefetch::ready)
            };
            while made() < ready {
                std::thread::yield_now();
            }
        };
        loader.begin(1, 0);
        wait_for(4);
        let mut first = loader.epoch(1);
        first.next_step().unwrap().next();
        assert_eq!((first.ready(), first.waited() < std::time::Duration::from_secs(1)), (4, true));
        first.next_step().unwrap().next();
        drop(first);
        wait_for(2);
        assert_eq!(steps(&loader, 2), expected);
    }

    #[test]
    fn an_epoch_can_be_left_early_without_a_hang() {
        let loader = loader(indices(23), [5, 5, 4]);
        drop(loader.epoch(1));
        let mut started = loader.epoch(1);
        started.next_step().unwrap().next();
        drop(started);
    }
}
