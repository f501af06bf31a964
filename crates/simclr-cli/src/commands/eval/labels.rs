//! How many labels to learn from.

use anyhow::Result;
use clap::Args;
use simclr::eval::LabelBudget;

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Learn from N labels of each class only: kNN and linear in five draws, with their mean and
    /// standard deviation; fine-tuning in one, drawn by --seed
    #[arg(long, value_name = "N", conflicts_with = "label_share")]
    labels_per_class: Option<usize>,
    /// Learn from this share of each class's labels only, such as 0.01
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
