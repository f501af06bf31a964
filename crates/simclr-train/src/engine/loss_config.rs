//! The loss of a run, and its settings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simclr_loss::{DecoupledNtXent, NtXent, SupCon, Temperature, TwoViewLoss};
use simclr_range::OutOfRange;

use crate::engine::batch_loss::BatchLoss;

/// The loss of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LossConfig {
    /// [`NtXent`], the loss of SimCLR.
    NtXent {
        /// The temperature: 0.1 to 0.5 in the paper's tables, lower for longer runs (appendix B.7).
        temperature: Temperature,
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
        let of_partners = |loss: Arc<dyn TwoViewLoss>| Ok(BatchLoss::OfPartners(loss));
        match self {
            Self::NtXent { temperature } => of_partners(Arc::new(NtXent::new(*temperature)?)),
            Self::DecoupledNtXent { temperature } => {
                of_partners(Arc::new(DecoupledNtXent::new(*temperature)?))
            }
            Self::SupCon { temperature } => Ok(BatchLoss::OfClasses(SupCon::new(*temperature)?)),
            Self::Custom { name } => {
                let expected = "a loss of this crate, or the caller's own by Trainer::with_loss";
                Err(OutOfRange::new("loss", expected, format!("\"{name}\"")))
            }
        }
    }
}
