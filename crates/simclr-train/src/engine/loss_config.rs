//! The loss of a run, and its settings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simclr_loss::{DecoupledNtXent, NtXent, PolyView, PolyViewForm, SupCon, Temperature};
use simclr_range::OutOfRange;

use crate::engine::batch_loss::BatchLoss;

/// The loss of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LossConfig {
    /// [`NtXent`], the loss of SimCLR. With more than two views [`PolyView`] in its geometric form, which is the same for two.
    NtXent {
        /// The temperature: 0.1 to 0.5 in the paper's tables, lower for longer runs (appendix B.7).
        temperature: Temperature,
    },
    /// [`PolyView`] (Shidani et al. 2024) for two views or more.
    PolyView {
        /// The temperature.
        temperature: Temperature,
        /// How the positives of an anchor count together.
        #[serde(default)]
        form: PolyViewForm,
    },
    /// [`DecoupledNtXent`]: the positive pair leaves the denominator, which helps small batches.
    DecoupledNtXent {
        /// The temperature: 0.1 in the paper (Yeh et al. 2022).
        temperature: Temperature,
    },
    /// [`SupCon`] (Khosla et al. 2020): all views of a class are positives. Every example needs a
    /// [label](crate::ViewSource::label); a run on images learns from those that have one, and leaves out the others.
    SupCon {
        /// The temperature: 0.1 in the paper; its code has 0.07.
        temperature: Temperature,
    },
    /// A loss of the caller's own, see [`Trainer::with_loss`](crate::Trainer::with_loss).
    Custom {
        /// The caller's name for it. A run is resumed only under the name that it began with.
        name: String,
    },
}

impl LossConfig {
    /// Whether the loss contrasts classes, so that every example needs a label.
    #[must_use]
    pub fn needs_labels(&self) -> bool {
        matches!(self, Self::SupCon { .. })
    }

    pub(crate) fn init(&self) -> Result<BatchLoss, OutOfRange> {
        match self {
            Self::NtXent { temperature } => {
                let of_more = Some(PolyView::new(*temperature, PolyViewForm::Geometric)?);
                Ok(BatchLoss::Partners { of_two: Arc::new(NtXent::new(*temperature)?), of_more })
            }
            Self::PolyView { temperature, form } => {
                Ok(BatchLoss::Views(PolyView::new(*temperature, *form)?))
            }
            Self::DecoupledNtXent { temperature } => {
                Ok(BatchLoss::of_two(DecoupledNtXent::new(*temperature)?))
            }
            Self::SupCon { temperature } => Ok(BatchLoss::Classes(SupCon::new(*temperature)?)),
            Self::Custom { name } => {
                let expected = "a loss of this crate, or the caller's own by Trainer::with_loss";
                Err(OutOfRange::new("loss", expected, format!("\"{name}\"")))
            }
        }
    }
}
