//! The views of an epoch, step by step.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::TrainError;
use crate::views::prefetch::{Prefetch, Taken};
use crate::views::unreadable::Unreadable;
use crate::views::view_source::{LabelledViews, Skipped};

/// A chunk of views from a thread that makes them.
pub(crate) struct MadeChunk<I> {
    /// The examples of the chunk.
    pub(crate) indices: Vec<usize>,
    /// Those of them that could not be read.
    pub(crate) skipped: Vec<Skipped>,
    /// The views of the others; `None` if there are no others.
    pub(crate) views: Option<LabelledViews<I>>,
}

/// The chunks of a run, the next one first.
pub(crate) type Chunks<I> = Prefetch<Result<MadeChunk<I>, TrainError>>;

/// The views of an epoch, step by step.
pub struct EpochViews<I: Send + 'static> {
    /// `None` after an error.
    chunks: Option<Chunks<I>>,
    /// Where the chunks go at the end of the epoch: those of the next one are made meanwhile.
    home: Arc<Mutex<Option<Chunks<I>>>>,
    unreadable: Arc<Mutex<Unreadable>>,
    steps_left: usize,
    chunks_per_step: usize,
    waited: Duration,
    /// Chunks that were ready as the last step began.
    ready: usize,
}

impl<I: Send + 'static> EpochViews<I> {
    pub(crate) fn new(
        chunks: Chunks<I>,
        home: Arc<Mutex<Option<Chunks<I>>>>,
        unreadable: Arc<Mutex<Unreadable>>,
        steps: usize,
        chunks_per_step: usize,
    ) -> Self {
        let (chunks, waited, ready) = (Some(chunks), Duration::ZERO, 0);
        Self { chunks, home, unreadable, steps_left: steps, chunks_per_step, waited, ready }
    }

    /// The views of the next step, chunk by chunk; `None` after the last step. Read each step to its end: chunks that
    /// are left become the next step's.
    pub fn next_step(&mut self) -> Option<StepViews<'_, I>> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        Some(StepViews { chunks_left: self.chunks_per_step, epoch: self })
    }

    /// The time that the epoch's steps have waited for views so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// The number of chunks that were ready as the last step asked for its first.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready
    }
}

/// The views of a step, chunk by chunk. It leaves out chunks without a readable example; the others keep their number.
pub struct StepViews<'a, I: Send + 'static> {
    epoch: &'a mut EpochViews<I>,
    chunks_left: usize,
}

impl<I: Send + 'static> StepViews<'_, I> {
    /// The number of chunks of the step, before any is left out.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.epoch.chunks_per_step
    }

    /// The time that the epoch's steps have waited for views so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.epoch.waited
    }

    /// The next chunk; notes which examples could not be read, in the order of the chunks.
    fn take(&mut self) -> Result<Option<LabelledViews<I>>, TrainError> {
        let is_first = self.chunks_left == self.epoch.chunks_per_step;
        self.chunks_left -= 1;
        let ended = || TrainError::stopped("the epoch's views ended with an error before");
        let Taken { made, waited, ready } = self.epoch.chunks.as_mut().ok_or_else(ended)?.take();
        self.epoch.waited += waited;
        if is_first {
            self.epoch.ready = ready;
        }
        let panicked = |_| TrainError::stopped("the thread that makes views panicked");
        let MadeChunk { indices, skipped, views } = made.map_err(panicked)??;
        let mut unreadable = self.epoch.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        unreadable.note(&indices, skipped)?;
        Ok(views)
    }
}

impl<I: Send + 'static> Iterator for StepViews<'_, I> {
    type Item = Result<LabelledViews<I>, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.chunks_left > 0 {
            let views = self.take();
            if views.is_err() {
                self.chunks_left = 0;
                self.epoch.steps_left = 0;
                self.epoch.chunks = None;
            }
            if let Some(views) = views.transpose() {
                return Some(views);
            }
        }
        None
    }
}

impl<I: Send + 'static> Drop for EpochViews<I> {
    fn drop(&mut self) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        *home = self.chunks.take();
    }
}
