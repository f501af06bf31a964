//! The loss of a run, and its settings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simclr_loss::{DecoupledNtXent, NtXent, Temperature, TwoViewLoss};
use simclr_range::OutOfRange;

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
    /// A loss of the caller's own, see [`Trainer::with_loss`](crate::Trainer::with_loss).
    Custom {
        /// The caller's name for it. A run is resumed only under the name that it began with.
        name: String,
    },
}

impl LossConfig {
    pub(crate) fn init(&self) -> Result<Arc<dyn TwoViewLoss>, OutOfRange> {
        Ok(match self {
            Self::NtXent { temperature } => Arc::new(NtXent::new(*temperature)?),
            Self::DecoupledNtXent { temperature } => Arc::new(DecoupledNtXent::new(*temperature)?),
            Self::Custom { name } => {
                let expected = "a loss of this crate, or the caller's own by Trainer::with_loss";
                return Err(OutOfRange::new("loss", expected, format!("\"{name}\"")));
            }
        })
    }
}
