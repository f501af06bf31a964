//! The front door: NT-Xent in the form that suits the batch.

mod explanation;
mod naive;
pub(crate) mod tiled;
mod vectorized;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::exclusions::{Exclusions, Partners};
use crate::partner_ranks::partner_ranks;
use crate::sup_con::SupCon;
use crate::temperature::Temperature;
use crate::two_view_loss::LossAndRanks;
use crate::views::{UnitViews, images};

pub use explanation::{Anchor, Explanation};
pub use naive::NaiveNtXent;
pub use tiled::TiledNtXent;
pub use vectorized::VectorizedNtXent;

/// The largest batch for which the whole matrix of similarities is formed.
///
/// Forward and backward on flex, d = 128, 2 cores, milliseconds:
///
/// | n | 16 | 32 | 64 | 128 | 256 | 1024 |
/// |---|---|---|---|---|---|---|
/// | vectorized | 0.107 | 0.162 | 0.38 | 1.5 | 5.2 | 79 |
/// | tiled | 0.105 | 0.173 | 0.40 | 1.2 | 1.7 | 15 |
///
/// Other backends compute up to 1,400 images in a single block. Both forms cost the same there, measured in smaller ones
/// (ndarray at n = 256: 5.8 and 6.0 ms).
const LARGEST_VECTORIZED: usize = 64;

/// The normalised, temperature-scaled cross-entropy loss of SimCLR (Chen et al. 2020, equation 1).
///
/// For n images in two views each, with `z_i` the projection of view i scaled to length one:
///
/// ```text
/// s_ij    = z_i . z_j / t                         similarity of two views, t = temperature
/// l(i, j) = -s_ij + ln sum_{k != i} exp(s_ik)     anchor i, its partner j, all 2n - 1 others k
/// loss    = mean of l(i, j) over the 2n anchors
/// ```
///
/// # Notes
///
/// - It is the **mean** over all 2n anchors, as in lightly, pytorch-metric-learning and
///   `SupContrast`. Google's code returns the sum of the two views' means: twice this value.
/// - Up to 64 images it forms the whole matrix of similarities ([`VectorizedNtXent`]), beyond that it
///   works tile by tile ([`TiledNtXent`]): the faster way in each case, as measured.
/// - A projection of zeros has similarity 0 to everything and gets no gradient.
/// - For f16 and bf16 projections it computes in f32, and the loss comes back in f32.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::NtXent;
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -2.0], [1.0, 5.0]], &device);
/// let z_b = Tensor::<2>::from_data([[1.0, 0.75], [2.8, -1.75], [1.0, 4.7]], &device);
///
/// let loss = NtXent::new(0.5)?;
/// let close = loss.forward(z_a.clone(), z_b.clone()).into_scalar::<f64>();
/// let shuffled = loss.forward(z_a, z_b.flip([0])).into_scalar::<f64>();
/// assert!(close < shuffled, "true partners are more alike than wrong ones");
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NtXent {
    temperature: Temperature,
}

impl NtXent {
    /// A loss with the given temperature: a number, or a [`Temperature`], which is valid already.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless the temperature is finite and positive.
    pub fn new(
        temperature: impl TryInto<Temperature, Error: Into<OutOfRange>>,
    ) -> Result<Self, OutOfRange> {
        Ok(Self { temperature: Temperature::given(temperature)? })
    }

    /// The loss at chance level for n `images`, at least 1: ln(2n - 1), whatever the temperature.
    ///
    /// That is the loss where all embeddings are alike, and every guess is one in 2n - 1. Training that
    /// stays there learns nothing.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::NtXent;
    ///
    /// let alike = Tensor::<2>::ones([4, 8], &Device::flex());
    /// let loss = NtXent::new(0.5)?.forward(alike.clone(), alike).into_scalar::<f64>();
    /// assert!((loss - NtXent::chance_loss(4)).abs() < 1e-6);
    /// assert!((NtXent::chance_loss(4) - 7_f64.ln()).abs() < 1e-12);
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn chance_loss(images: usize) -> f64 {
        (2.0 * images as f64 - 1.0).ln()
    }

    /// The mean of l(i, j) over all 2n anchors.
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes
    ///   from image i
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ, or n or d is zero.
    #[must_use]
    pub fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        let [n, _] = z_a.dims();
        if n <= LARGEST_VECTORIZED {
            vectorized::mean_over_anchors(self.temperature, UnitViews::new(z_a, z_b))
        } else {
            TiledNtXent::with(self.temperature).forward(z_a, z_b)
        }
    }

    /// [`forward`](Self::forward), and the [`partner_ranks`](crate::partner_ranks) of the same views.
    ///
    /// Beyond 64 images a GPU finds both in the same similarities.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::NtXent;
    ///
    /// let z = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
    /// let found = NtXent::new(0.5)?.forward_with_ranks(z.clone(), z);
    /// assert_eq!(found.loss.dims(), [1]);
    /// let ranks: Vec<f64> = found.ranks.to_data_as::<f64>().iter().collect();
    /// assert_eq!(ranks, [0.0; 4]); // Each view is nearest to its partner.
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn forward_with_ranks(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> LossAndRanks {
        let [n, _] = z_a.dims();
        if n <= LARGEST_VECTORIZED {
            let ranks = partner_ranks(z_a.clone(), z_b.clone());
            LossAndRanks { loss: self.forward(z_a, z_b), ranks }
        } else {
            TiledNtXent::with(self.temperature).forward_with_ranks(z_a, z_b)
        }
    }

    /// Like [`forward`](Self::forward), for a batch in which an image may occur twice.
    ///
    /// Two rows with the same id show the same image. As negatives they would push apart what should
    /// be alike, so they leave each other's denominators; each keeps its own partner.
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: `[n, d]`, as in [`forward`](Self::forward)
    /// - `ids`: n, which image each row shows; any numbers
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ, n or d is zero, or there isn't one id per row.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::NtXent;
    ///
    /// let z = Tensor::<2>::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &Device::flex());
    /// let loss = NtXent::new(0.5)?;
    /// let without_ids = loss.forward(z.clone(), z.clone()).into_scalar::<f64>();
    /// let with_ids = loss.forward_with_ids(z.clone(), z, &[8, 8, 9]).into_scalar::<f64>();
    /// assert!(with_ids < without_ids, "the second copy of image 8 is not a negative");
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn forward_with_ids(&self, z_a: Tensor<2>, z_b: Tensor<2>, ids: &[usize]) -> Tensor<1> {
        let n = images(&z_a, &z_b);
        assert_eq!(ids.len(), n, "expected one id for each of {n} images, found {}", ids.len());
        let exclusions = Exclusions::of_images(ids, 2, Partners::Stay);
        tiled::mean_over_anchors(self.temperature, [z_a, z_b], exclusions)
    }

    /// The loss of any number of views: each view of an image is an anchor, and the image's other views
    /// are its positives.
    ///
    /// ```text
    /// l(i) = ln sum_{k != i} exp(s_ik)  -  mean of s_ip over the other views p of i's image
    /// loss = mean of l(i) over all anchors
    /// ```
    ///
    /// For two views it equals [`forward`](Self::forward); for more it is [`SupCon`] with one class per
    /// image.
    ///
    /// # Shapes
    ///
    /// - `views`: one `[n, d]` for each view; row i of each comes from image i
    /// - output: `[1]`, which is 0 for a single view: no anchor has a positive
    ///
    /// # Panics
    ///
    /// If there is no view, the shapes differ, or n or d is zero.
    #[must_use]
    pub fn forward_views(&self, views: &[Tensor<2>]) -> Tensor<1> {
        let n = views.first().map_or(0, |view| view.dims()[0]);
        let images: Vec<usize> = (0..n).collect();
        SupCon::with(self.temperature).forward(views, &images)
    }
}
