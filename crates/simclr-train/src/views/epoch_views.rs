//! The views of an epoch, step by step.

use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::TrainError;
use crate::views::view_source::LabelledViews;

/// A chunk of views from the thread that makes them; `None` if none of its examples could be read.
pub(crate) type MadeChunk<I> = Result<Option<LabelledViews<I>>, TrainError>;

/// The views of an epoch, step by step.
pub struct EpochViews<I> {
    receiver: Option<Receiver<MadeChunk<I>>>,
    worker: Option<JoinHandle<()>>,
    steps_left: usize,
    chunks_per_step: usize,
    waited: Duration,
}

impl<I> EpochViews<I> {
    pub(crate) fn new(
        receiver: Receiver<MadeChunk<I>>,
        worker: JoinHandle<()>,
        steps: usize,
        chunks_per_step: usize,
    ) -> Self {
        let (receiver, worker) = (Some(receiver), Some(worker));
        Self { receiver, worker, steps_left: steps, chunks_per_step, waited: Duration::ZERO }
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
}

/// The views of a step, chunk by chunk. It leaves out chunks without a readable example; the others keep their number.
pub struct StepViews<'a, I> {
    epoch: &'a mut EpochViews<I>,
    chunks_left: usize,
}

impl<I> StepViews<'_, I> {
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
}

impl<I> Iterator for StepViews<'_, I> {
    type Item = Result<LabelledViews<I>, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.chunks_left > 0 {
            self.chunks_left -= 1;
            let started = Instant::now();
            let received = self.epoch.receiver.as_ref()?.recv();
            self.epoch.waited += started.elapsed();
            let views = received.unwrap_or_else(|_| {
                // The worker ended before its last chunk.
                Err(TrainError::stopped("the thread that makes views panicked"))
            });
            if views.is_err() {
                self.chunks_left = 0;
                self.epoch.steps_left = 0;
            }
            if let Some(views) = views.transpose() {
                return Some(views);
            }
        }
        None
    }
}

impl<I> Drop for EpochViews<I> {
    fn drop(&mut self) {
        drop(self.receiver.take()); // Unblocks a worker that waits to send.
        if let Some(worker) = self.worker.take() {
            // `next` has reported a panic, unless it happened after the last chunk that was read.
            let _ = worker.join();
        }
    }
}
