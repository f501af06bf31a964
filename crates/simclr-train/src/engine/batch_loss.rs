//! The loss of a batch, and what it asks of each anchor.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use simclr_loss::{LossAndRanks, PolyView, SupCon, TwoViewLoss};
use simclr_range::OutOfRange;

/// The loss of a batch.
#[derive(Debug, Clone)]
pub(crate) enum BatchLoss {
    /// An anchor is to find its partner, the other of two views of its example, or with `of_more` its partners.
    Partners { of_two: Arc<dyn TwoViewLoss>, of_more: Option<PolyView> },
    /// An anchor is to find the other views of its example.
    Views(PolyView),
    /// An anchor is to find the views of its class.
    Classes(SupCon),
}

impl BatchLoss {
    /// A loss of two views.
    pub(crate) fn of_two(loss: impl TwoViewLoss + 'static) -> Self {
        Self::Partners { of_two: Arc::new(loss), of_more: None }
    }

    /// Whether every example needs a label.
    pub(crate) fn needs_labels(&self) -> bool {
        matches!(self, Self::Classes(_))
    }

    /// Refuses numbers of views that the loss doesn't take.
    pub(crate) fn check_views(&self, views: usize) -> Result<(), OutOfRange> {
        match self {
            Self::Partners { of_more: None, .. } => {
                let expected = "2, since the loss contrasts two views (nt-xent, poly-view and sup-con take more)";
                OutOfRange::unless(views == 2, "views", expected, views)
            }
            _ => OutOfRange::unless(views >= 2, "views", "at least 2", views),
        }
    }

    /// The mean loss, `[1]`, of projections `[n, d]` of each view; `labels` has the class of each example if every one has
    /// one.
    ///
    /// # Panics
    ///
    /// If it needs labels and there are none, or if it takes two views alone and there are more.
    pub(crate) fn forward(&self, views: &[Tensor<2>], labels: Option<&[usize]>) -> Tensor<1> {
        match self {
            Self::Partners { of_two, of_more } => match views {
                [z_a, z_b] => of_two.forward(z_a.clone(), z_b.clone()),
                more => of_views(*of_more).forward(more),
            },
            Self::Views(loss) => loss.forward(views),
            Self::Classes(loss) => loss.forward(views, required(labels)),
        }
    }

    /// [`forward`](Self::forward), and for each of V n anchors how many views that it is not to find are nearer than one that
    /// it is to find: `[V n]`.
    pub(crate) fn forward_with_ranks(
        &self,
        views: &[Tensor<2>],
        labels: Option<&[usize]>,
    ) -> LossAndRanks {
        match self {
            Self::Partners { of_two, of_more } => match views {
                [z_a, z_b] => of_two.forward_with_ranks(z_a.clone(), z_b.clone()),
                more => of_views(*of_more).forward_with_ranks(more),
            },
            Self::Views(loss) => loss.forward_with_ranks(views),
            Self::Classes(loss) => loss.forward_with_ranks(views, required(labels)),
        }
    }

    /// The loss where the projections of all `views` views of all `examples` examples are alike: ln(2n - 1) for NT-Xent,
    /// and ln(V n - 1) for SupCon, whose classes then don't matter.
    pub(crate) fn chance_level(&self, examples: usize, views: usize, device: &Device) -> f64 {
        let z = Tensor::<2>::ones([examples, 1], device);
        let labels: Vec<usize> = (0..examples).collect();
        self.forward(&vec![z; views], Some(&labels)).into_scalar::<f64>()
    }
}

fn of_views(of_more: Option<PolyView>) -> PolyView {
    of_more.expect("a run begins only with as many views as its loss takes")
}

fn required(labels: Option<&[usize]>) -> &[usize] {
    labels.expect("a run with a loss of classes begins only if every example has a label")
}

#[cfg(test)]
mod tests {
    use simclr_loss::{DecoupledNtXent, NtXent, PolyViewForm};

    use super::*;

    #[test]
    fn two_views_take_nt_xent_itself_and_more_take_poly_view() {
        let device = Device::flex();
        let view = |step: f32| {
            let numbers = Tensor::<1, burn::tensor::Int>::arange(0..40, &device).float();
            (numbers * step).sin().reshape([8, 5])
        };
        let views = [view(0.7), view(1.1), view(1.9)];
        let value = |loss: Tensor<1>| loss.into_scalar::<f32>().to_bits();
        let poly_view = PolyView::new(0.2, PolyViewForm::Geometric).unwrap();
        let nt_xent = NtXent::new(0.2).unwrap();
        let loss = BatchLoss::Partners { of_two: Arc::new(nt_xent), of_more: Some(poly_view) };
        let of_two = nt_xent.forward(views[0].clone(), views[1].clone());
        assert_eq!(value(loss.forward(&views[..2], None)), value(of_two));
        assert_eq!(value(loss.forward(&views, None)), value(poly_view.forward(&views)));
    }

    #[test]
    fn a_loss_of_two_views_refuses_more_and_none_takes_one() {
        let decoupled = BatchLoss::of_two(DecoupledNtXent::new(0.2).unwrap());
        let error = decoupled.check_views(3).unwrap_err().to_string();
        assert!(error.starts_with("expected views to be 2, since"), "{error}");
        assert!(decoupled.check_views(2).is_ok());
        let poly_view = BatchLoss::Views(PolyView::new(0.2, PolyViewForm::Geometric).unwrap());
        assert!(poly_view.check_views(16).is_ok() && poly_view.check_views(1).is_err());
    }

    #[test]
    fn views_that_are_all_alike_give_the_same_loss_whatever_their_classes() {
        let device = Device::flex();
        let loss = BatchLoss::Classes(SupCon::new(0.1).unwrap());
        let chance = loss.chance_level(12, 2, &device);
        assert!((chance - 23_f64.ln()).abs() < 1e-5, "{chance}");
        let z = Tensor::<2>::ones([12, 3], &device);
        let labels: Vec<usize> = (0..12).map(|i| i % 3).collect();
        let of_classes = loss.forward(&[z.clone(), z], Some(&labels)).into_scalar::<f64>();
        assert!((of_classes - chance).abs() < 1e-5, "{of_classes}");
    }
}
