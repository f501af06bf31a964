//! The supervised contrastive loss.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::exclusions::{Exclusions, Partners};
use crate::groups::groups;
use crate::log_denominators::Problem;
use crate::one_sweep;
use crate::ranks::Sought;
use crate::temperature::Temperature;
use crate::two_view_loss::LossAndRanks;
use crate::views::{samples, unit_rows};

/// The supervised contrastive loss of [Khosla et al. 2020](https://arxiv.org/abs/2004.11362)
/// (`L_out`, equation 2): all samples of a class are each other's positives.
///
/// With m = v n rows (n samples in v views), P(i) the other rows with anchor i's label, and s as in
/// [`NtXent`](crate::NtXent):
///
/// ```text
/// l(i) = ln sum_{k != i} exp(s_ik)  -  mean of s_ip over p in P(i)
/// loss = mean of l(i) over the anchors whose P(i) isn't empty
/// ```
///
/// The average of the log-probabilities stands outside the logarithm, as in the paper's better form.
///
/// # Notes
///
/// - An anchor without a positive is left out of the mean; if none has one, the loss and its gradient
///   are 0. (`SupContrast`'s reference code of 2020 gave NaN.)
/// - The paper and `SupContrast` multiply by t / `base_temperature`, 0.07 by default there; we don't.
/// - With one label per sample and two views it is NT-Xent.
/// - It is computed tile by tile, as in [`TiledNtXent`](crate::TiledNtXent).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::{NtXent, SupCon};
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -2.0], [1.0, 5.0]], &device);
/// let z_b = Tensor::<2>::from_data([[1.0, 0.75], [2.8, -1.75], [1.0, 4.7]], &device);
///
/// let loss = SupCon::new(0.5)?;
/// let views = [z_a.clone(), z_b.clone()];
/// let of_instances = loss.forward(&views, &[0, 1, 2]).into_scalar::<f64>();
/// let nt_xent = NtXent::new(0.5)?.forward(z_a, z_b).into_scalar::<f64>();
/// assert!((of_instances - nt_xent).abs() < 1e-6);
///
/// // One view is enough where labels repeat. An anchor without a positive is left out.
/// let lonely = loss.forward(&views[..1], &[0, 1, 2]).into_scalar::<f64>();
/// assert_eq!(lonely, 0.0);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SupCon {
    temperature: Temperature,
}

impl SupCon {
    /// A loss with the given temperature: a number, or a [`Temperature`], which is valid already.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless the temperature is finite and positive.
    pub fn new(
        temperature: impl TryInto<Temperature, Error: Into<OutOfRange>>,
    ) -> Result<Self, OutOfRange> {
        Temperature::given(temperature).map(Self::with)
    }

    pub(crate) fn with(temperature: Temperature) -> Self {
        Self { temperature }
    }

    /// The mean of l(i) over the anchors that have a positive.
    ///
    /// # Shapes
    ///
    /// - `views`: one `[n, d]` for each view, of any length; row i of each comes from sample i. One
    ///   view is enough where labels repeat.
    /// - `labels`: n, the class of each sample; any numbers
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If there is no view, the shapes differ, n or d is zero, or there isn't one label per sample.
    #[must_use]
    pub fn forward(&self, views: &[Tensor<2>], labels: &[usize]) -> Tensor<1> {
        let (classes, problem) = self.prepare(views, labels);
        if let Some(found) = one_sweep::loss_and_ranks(&problem, views, &Sought::class(labels)) {
            return found.loss;
        }
        let z = unit_rows(views); // [v n, d]
        let positives = self.positives(&classes, z.clone());
        problem.weighted_sum(z) - positives
    }

    /// [`forward`](Self::forward), and for each of the v n anchors how many views of other classes are nearer than the
    /// nearest other view of its own class, as [`class_ranks`](crate::class_ranks) counts them. For an anchor that is alone
    /// in its class those are all views of other classes.
    ///
    /// A GPU finds both in the same similarities.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::SupCon;
    ///
    /// let z = Tensor::<2>::from_data([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], &Device::flex());
    /// let found = SupCon::new(0.5)?.forward_with_ranks(&[z], &[4, 4, 9]);
    /// let ranks: Vec<f64> = found.ranks.to_data_as::<f64>().iter().collect();
    /// assert_eq!(ranks, [0.0, 0.0, 2.0]);
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn forward_with_ranks(&self, views: &[Tensor<2>], labels: &[usize]) -> LossAndRanks {
        let (classes, problem) = self.prepare(views, labels);
        let sought = Sought::class(labels);
        if let Some(found) = one_sweep::loss_and_ranks(&problem, views, &sought) {
            return found;
        }
        let z = unit_rows(views); // [v n, d]
        let positives = self.positives(&classes, z.clone());
        let (log_denominators, ranks) = problem.weighted_sum_and_ranks(z, &sought);
        LossAndRanks { loss: log_denominators - positives, ranks }
    }

    #[track_caller]
    fn prepare(self, views: &[Tensor<2>], labels: &[usize]) -> (Classes, Problem) {
        let n = samples(views);
        assert_eq!(
            labels.len(),
            n,
            "expected one label for each of {n} samples, found {}",
            labels.len()
        );
        let classes = Classes::new(labels, views.len());
        let exclusions = Exclusions::of_distinct_images(n, views.len(), Partners::Stay);
        let problem = Problem::new(self.temperature, classes.anchor_weights(), exclusions);
        (classes, problem)
    }

    /// The mean over the anchors of the mean similarity of their positives, of unit rows `[v n, d]`: `[1]`.
    fn positives(self, classes: &Classes, z: Tensor<2>) -> Tensor<1> {
        classes.mean_of_positives(z).div_scalar(self.temperature.get())
    }
}

/// The rows' labels, numbered from 0, and how often each occurs.
struct Classes {
    of_rows: Vec<usize>,
    sizes: Vec<usize>,
    /// How many rows have a positive.
    anchors: usize,
}

impl Classes {
    fn new(labels: &[usize], views: usize) -> Self {
        let (of_samples, count) = groups(labels);
        let of_rows = of_samples.repeat(views);
        let mut sizes = vec![0; count];
        for &class in &of_rows {
            sizes[class] += 1;
        }
        let anchors = sizes.iter().filter(|&&size| size > 1).sum();
        Self { of_rows, sizes, anchors }
    }

    /// 1 / (number of anchors with a positive), or 0 for those without.
    fn anchor_weights(&self) -> Vec<f64> {
        self.of_rows.iter().map(|&class| self.anchor_weight(class)).collect()
    }

    fn anchor_weight(&self, class: usize) -> f64 {
        if self.sizes[class] > 1 { 1.0 / self.anchors as f64 } else { 0.0 }
    }

    /// The mean over the anchors of the mean cosine with their positives: `[m, d]` -> `[1]`.
    ///
    /// All pairs of a class at once: the sum of `z_i . z_p` over i != p is `|sum of z_i|² - sum of |z_i|²`.
    fn mean_of_positives(&self, z: Tensor<2>) -> Tensor<1> {
        let (device, dtype, [m, d]) = (z.device(), z.dtype(), z.dims());
        let count = self.sizes.len();
        let weights: Vec<f64> = (0..count)
            .map(|class| self.anchor_weight(class) / (self.sizes[class].max(2) - 1) as f64)
            .collect();
        let of_rows: Vec<f64> = self.of_rows.iter().map(|&class| weights[class]).collect();
        let column = |values: Vec<f64>, rows: usize| {
            Tensor::<2>::from_data(TensorData::new(values, [rows, 1]), (&device, dtype))
        };

        let classes: Vec<i64> = self
            .of_rows
            .iter()
            .map(|&class| i64::try_from(class).expect("there are fewer classes than rows"))
            .collect();
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [m]), &device);
        let sums = Tensor::<2>::zeros([count, d], (&device, dtype)).select_assign(
            0,
            classes,
            z.clone(),
            IndexingUpdateOp::Add,
        ); // [classes, d]
        (sums.square() * column(weights, count)).sum() - (z.square() * column(of_rows, m)).sum()
    }
}
