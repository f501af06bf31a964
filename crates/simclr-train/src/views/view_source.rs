//! The input of a training step: the views of one batch, and their source.

use burn::tensor::Device;

use crate::error::TrainError;

/// A batch of n examples in two views each.
#[derive(Debug)]
pub struct TwoViews<I> {
    /// 2n inputs: view a of every example, then view b of every example in the same order. They are one batch, so that
    /// batch normalisation sees both views.
    pub input: I,
    /// The number of examples, n.
    pub examples: usize,
}

/// The views of a chunk as a [`ViewLoader`](crate::ViewLoader) hands them to a step: with the classes of their examples.
#[derive(Debug)]
pub struct LabelledViews<I> {
    /// The views.
    pub views: TwoViews<I>,
    /// The class of each of the n examples, in the order of the views; `None` unless the source has a
    /// [label](ViewSource::label) for every one.
    pub labels: Option<Vec<usize>>,
    /// The number of the chunk among those of its step, from 0. It is on device `chunk` modulo the number of devices, also
    /// where a chunk before it is left out.
    pub chunk: usize,
}

/// The views of some examples, and the examples that a [`ViewSource`] could not read.
#[derive(Debug)]
pub struct ViewBatch<I> {
    /// The views of the examples that could be read; `None` if there are none.
    pub views: Option<TwoViews<I>>,
    /// The examples that could not be read.
    pub skipped: Vec<Skipped>,
}

/// An example that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its index in the data set.
    pub index: usize,
    /// The error, with the name of the file.
    pub reason: String,
}

/// A data set that makes two views of each of its examples.
pub trait ViewSource<I>: Send + Sync + 'static {
    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of the example at `index`, any number that its class alone has; `None`, as by default, if it has none.
    /// It is asked for a loss that contrasts classes, such as [`LossConfig::SupCon`](crate::LossConfig::SupCon), which every
    /// example of the source then needs. It doesn't change during a run.
    #[expect(unused_variables, reason = "sources with labels need the index")]
    fn label(&self, index: usize) -> Option<usize> {
        None
    }

    /// The bytes that both views of an example take, so that the memory of views made ahead is bounded; 0, as by default,
    /// if that is not known.
    fn example_bytes(&self) -> usize {
        0
    }

    /// Both views of the examples `indices` in pass `pass` over the data set, on `device`, in the order of the indices
    /// without those that are skipped. They depend only on the arguments and on the source's seed, so that a run can be
    /// repeated and resumed.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the source fails as a whole. A single unreadable example is one of [`ViewBatch::skipped`].
    fn two_views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<I>, TrainError>;
}
