//! The input of a training step: the views of one batch, and their source.

use burn::tensor::Device;

use crate::error::TrainError;

/// A batch of n examples in several views each: at least two, of one size or of several.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_train::Views;
///
/// let device = Device::flex();
/// let of_size = |views: usize, side: usize| Tensor::<4>::zeros([views * 16, 3, side, side], &device);
/// let views = Views::new(of_size(2, 64), 2, 16).and(of_size(4, 32), 4);
/// assert_eq!(views.count(), 6);
/// ```
#[derive(Debug)]
pub struct Views<I> {
    /// The views of each size. An encoder sees one size after the other.
    inputs: Vec<I>,
    count: usize,
    examples: usize,
}

impl<I> Views<I> {
    /// `views` views of each of n `examples`: `input` has the first view of every example, then the second one of every
    /// example in the same order, and so on. They are one batch, so that batch normalisation sees them all.
    #[must_use]
    pub fn new(input: I, views: usize, examples: usize) -> Self {
        Self { inputs: vec![input], count: views, examples }
    }

    /// These, and then `views` more of the same examples, of another size. Batch normalisation sees them apart.
    #[must_use]
    pub fn and(mut self, input: I, views: usize) -> Self {
        self.inputs.push(input);
        self.count += views;
        self
    }

    /// The number of views of each example, V.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of examples, n.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// The inputs of each size, in order.
    #[must_use]
    pub fn into_inputs(self) -> Vec<I> {
        self.inputs
    }
}

/// The views of a chunk as a [`ViewLoader`](crate::ViewLoader) hands them to a step: with the classes of their examples.
#[derive(Debug)]
pub struct LabelledViews<I> {
    /// The views.
    pub views: Views<I>,
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
    pub views: Option<Views<I>>,
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

/// A data set that makes views of each of its examples.
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

    /// The number of views of each example, V: 2, as by default, or more if the [loss](crate::LossConfig) takes them.
    fn views_per_example(&self) -> usize {
        2
    }

    /// The bytes that all views of an example take, so that the memory of views made ahead is bounded; 0, as by default,
    /// if that is not known.
    fn example_bytes(&self) -> usize {
        0
    }

    /// All views of the examples `indices` in pass `pass` over the data set, on `device`, in the order of the indices
    /// without those that are skipped: [`views_per_example`](Self::views_per_example) of each. They depend only on the arguments and on the source's seed, so that a run can be
    /// repeated and resumed.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the source fails as a whole. A single unreadable example is one of [`ViewBatch::skipped`].
    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<I>, TrainError>;
}
