//! The input of a training step: the views of one batch, and where they come from.

use burn::tensor::Device;

use crate::error::TrainError;

/// A batch of n examples in two views each.
#[derive(Debug)]
pub struct TwoViews<I> {
    /// 2n inputs: view a of every example, then view b of every example in the same order. They are
    /// one batch, so that batch normalisation sees both views.
    pub input: I,
    /// The number of examples, n.
    pub examples: usize,
}

/// What a [`ViewSource`] could make of the examples it was asked for.
#[derive(Debug)]
pub struct ViewBatch<I> {
    /// The examples that could be read; `None` if there are none.
    pub views: Option<TwoViews<I>>,
    /// The others.
    pub skipped: Vec<Skipped>,
}

/// An example that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its index in the data set.
    pub index: usize,
    /// What is wrong with it, naming the file.
    pub reason: String,
}

/// Where two views of an example come from: the seam between a data set and the training loop, so
/// that anything with two views can be trained on.
pub trait ViewSource<I>: Send + Sync + 'static {
    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Both views of the examples `indices`, drawn for this pass over the data: a pure function of its arguments
    /// and the source's seed.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the source fails as a whole; a single bad example is skipped.
    fn two_views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<I>, TrainError>;
}
