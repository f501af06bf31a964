//! The loss of a batch, and what it asks of each anchor.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use simclr_loss::{LossAndRanks, SupCon, TwoViewLoss};

/// The loss of a batch in two views.
#[derive(Debug, Clone)]
pub(crate) enum BatchLoss {
    /// An anchor is to find its partner, the other view of its example.
    OfPartners(Arc<dyn TwoViewLoss>),
    /// An anchor is to find the views of its class.
    OfClasses(SupCon),
}

impl BatchLoss {
    /// Whether every example needs a label.
    pub(crate) fn needs_labels(&self) -> bool {
        matches!(self, Self::OfClasses(_))
    }

    /// The mean loss, `[1]`, of projections `[n, d]` of the two views; `labels` has the class of each example if
    /// every one has one.
    ///
    /// # Panics
    ///
    /// If it needs labels and there are none.
    pub(crate) fn forward(
        &self,
        z_a: Tensor<2>,
        z_b: Tensor<2>,
        labels: Option<&[usize]>,
    ) -> Tensor<1> {
        match self {
            Self::OfPartners(loss) => loss.forward(z_a, z_b),
            Self::OfClasses(loss) => loss.forward(&[z_a, z_b], required(labels)),
        }
    }

    /// [`forward`](Self::forward), and for each of 2n anchors how many other views are nearer than the one that it is to
    /// find: `[2n]`.
    pub(crate) fn forward_with_ranks(
        &self,
        z_a: Tensor<2>,
        z_b: Tensor<2>,
        labels: Option<&[usize]>,
    ) -> LossAndRanks {
        match self {
            Self::OfPartners(loss) => loss.forward_with_ranks(z_a, z_b),
            Self::OfClasses(loss) => loss.forward_with_ranks(&[z_a, z_b], required(labels)),
        }
    }

    /// The loss where the projections of all `examples` examples are alike: ln(2n - 1) for NT-Xent and for SupCon, whose
    /// classes then don't matter.
    pub(crate) fn chance_level(&self, examples: usize, device: &Device) -> f64 {
        let z = Tensor::<2>::ones([examples, 1], device);
        let labels: Vec<usize> = (0..examples).collect();
        self.forward(z.clone(), z, Some(&labels)).into_scalar::<f64>()
    }
}

fn required(labels: Option<&[usize]>) -> &[usize] {
    labels.expect("a run with a loss of classes begins only if every example has a label")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_that_are_all_alike_give_the_same_loss_whatever_their_classes() {
        let device = Device::flex();
        let loss = BatchLoss::OfClasses(SupCon::new(0.1).unwrap());
        let chance = loss.chance_level(12, &device);
        assert!((chance - 23_f64.ln()).abs() < 1e-5, "{chance}");
        let z = Tensor::<2>::ones([12, 3], &device);
        let labels: Vec<usize> = (0..12).map(|i| i % 3).collect();
        let of_classes = loss.forward(z.clone(), z, Some(&labels)).into_scalar::<f64>();
        assert!((of_classes - chance).abs() < 1e-5, "{of_classes}");
    }
}
