//! How many labels.

use anyhow::Result;
use clap::Args;
use simclr::eval::LabelBudget;

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Learn from so many labels of each class only: kNN and linear in five draws, the mean and how far
    /// they are apart; fine-tuning in one, by --seed
    #[arg(long, value_name = "N", conflicts_with = "label_share")]
    labels_per_class: Option<usize>,
    /// Learn from this share of the labels only, such as 0.01
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    label_share: Option<f64>,
}

impl LabelArgs {
    pub(super) fn budget(&self) -> Result<Option<LabelBudget>> {
        Ok(match (self.labels_per_class, self.label_share) {
            (Some(images), _) => Some(LabelBudget::per_class(images)?),
            (None, Some(share)) => Some(LabelBudget::fraction(share)?),
            (None, None) => None,
        })
    }
}
