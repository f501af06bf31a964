//! Contrasting any number of views of each image.

mod form;
mod pairs;
mod statistics;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

pub use self::form::PolyViewForm;
use crate::exclusions::{Exclusions, Partners};
use crate::log_denominators::Denominators;
use crate::one_sweep;
use crate::ranks::{Sought, ranks};
use crate::temperature::Temperature;
use crate::two_view_loss::LossAndRanks;
use crate::views::{samples, unit_rows};

/// NT-Xent for V views of each of n images: [Shidani et al. 2024](https://arxiv.org/abs/2403.05490), "Poly-View Contrastive
/// Learning".
///
/// Each view is an anchor i, and each other view p of its image a positive, which is told apart from the views of *other*
/// images alone:
///
/// ```text
/// N_i     = sum of exp(s_ik) over the V (n - 1) views k of other images
/// q_ip    = exp(s_ip) / (exp(s_ip) + N_i)
///
/// l(i)    = mean over p of -ln q_ip               PolyViewForm::Geometric
/// l(i)    = -ln (mean over p of q_ip)             PolyViewForm::Arithmetic
/// loss    = mean of l(i) over all V n anchors
/// ```
///
/// [`PolyViewForm::SufficientStatistics`] has one positive for each anchor instead, the mean direction of its image's other
/// views.
///
/// # Notes
///
/// - For two views both first forms are NT-Xent. [`NtXent::forward_views`](crate::NtXent::forward_views) is another
///   extension: there the other positives stand in the denominator, as in [`SupCon`](crate::SupCon), so that positives
///   compete with each other.
/// - Value and gradient of the first two forms are found tile by tile, as in [`TiledNtXent`](crate::TiledNtXent), in O(V n d + V² n)
///   memory. The gradient is known in closed form, and has no derivative of its own. The third form holds V matrices of n x n.
/// - With one image there are no negatives, and with one view no positives: the loss and its gradient are then 0.
/// - A projection of zeros has similarity 0 to everything and gets no gradient. For f16 and bf16 projections it computes in
///   f32.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_loss::{NtXent, PolyView, PolyViewForm};
///
/// let device = Device::flex();
/// let view = || Tensor::<2>::random([8, 16], Distribution::Normal(0.0, 1.0), &device);
/// let views = [view(), view(), view(), view()];
///
/// let loss = PolyView::new(0.5, PolyViewForm::Geometric)?;
/// let of_four = loss.forward(&views).into_scalar::<f64>();
/// let alike = loss.forward(&[(); 4].map(|()| views[0].clone())).into_scalar::<f64>();
/// assert!(alike < of_four, "views that are alike are found");
///
/// let of_two = loss.forward(&views[..2]).into_scalar::<f64>();
/// let nt_xent = NtXent::new(0.5)?.forward(views[0].clone(), views[1].clone());
/// assert!((of_two - nt_xent.into_scalar::<f64>()).abs() < 1e-5);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PolyView {
    temperature: Temperature,
    form: PolyViewForm,
}

impl PolyView {
    /// A loss with the given temperature: a number, or a [`Temperature`], which is valid already.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless the temperature is finite and positive.
    pub fn new(
        temperature: impl TryInto<Temperature, Error: Into<OutOfRange>>,
        form: PolyViewForm,
    ) -> Result<Self, OutOfRange> {
        Ok(Self { temperature: Temperature::given(temperature)?, form })
    }

    /// The mean of l(i) over all V n anchors.
    ///
    /// # Shapes
    ///
    /// - `views`: V times `[n, d]`, projections of any length; row i of each comes from image i
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If there is no view, the shapes differ, or n or d is zero.
    #[must_use]
    pub fn forward(&self, views: &[Tensor<2>]) -> Tensor<1> {
        let images = samples(views);
        let z = unit_rows(views); // [V n, d]
        if images == 1 || views.len() == 1 {
            // Part of the graph, so that a training step still finds its gradients, all zero.
            return z.sum().mul_scalar(0.0);
        }
        let scale = 1.0 / self.temperature.get();
        match self.form {
            PolyViewForm::SufficientStatistics => statistics::loss(&z, views.len(), scale),
            form => {
                let exclusions =
                    Exclusions::of_distinct_images(images, views.len(), Partners::Leave);
                let of_negatives = Denominators::new(self.temperature, exclusions);
                pairs::loss(form, &of_negatives, z)
            }
        }
    }

    /// [`forward`](Self::forward), and for each of the V n anchors how many views of other images are nearer than the nearest
    /// other view of its own, `[V n]`, without autodiff.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::{PolyView, PolyViewForm};
    ///
    /// let z = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
    /// let views = [z.clone(), z.clone(), z];
    /// let found = PolyView::new(0.5, PolyViewForm::Geometric)?.forward_with_ranks(&views);
    /// let ranks: Vec<f64> = found.ranks.to_data_as::<f64>().iter().collect();
    /// assert_eq!(ranks, [0.0; 6]);
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn forward_with_ranks(&self, views: &[Tensor<2>]) -> LossAndRanks {
        let sought = Sought::Class((0..samples(views)).collect());
        let detached: Vec<_> = views.iter().cloned().map(Tensor::without_autodiff).collect();
        let ranks = one_sweep::ranks(&detached, &sought)
            .unwrap_or_else(|| ranks(&unit_rows(&detached), &sought));
        LossAndRanks { loss: self.forward(views), ranks }
    }
}
