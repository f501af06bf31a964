//! Which loss, and with what.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simclr_loss::{DecoupledNtXent, NtXent, Temperature, TwoViewLoss};

use crate::error::TrainError;

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
    /// A loss of the caller's own, see [`Pretraining::with_loss`](crate::Pretraining::with_loss).
    Custom {
        /// What the caller calls it: a run resumes only under the name it was begun with.
        name: String,
    },
}

impl LossConfig {
    /// The loss itself; `custom` is the caller's own, if there is one.
    pub(crate) fn init(
        &self,
        custom: Option<&Arc<dyn TwoViewLoss>>,
    ) -> Result<Arc<dyn TwoViewLoss>, TrainError> {
        Ok(match self {
            Self::NtXent { temperature } => Arc::new(NtXent::new(*temperature)?),
            Self::DecoupledNtXent { temperature } => Arc::new(DecoupledNtXent::new(*temperature)?),
            Self::Custom { name } => Arc::clone(custom.ok_or_else(|| {
                let expected =
                    "a loss of this crate, or the caller's own by Pretraining::with_loss";
                TrainError::config("loss", expected, format!("\"{name}\""))
            })?),
        })
    }
}
