//! How many labels.

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
    pub(super) fn budget(&self) -> Option<LabelBudget> {
        let per_class = self.labels_per_class.map(LabelBudget::PerClass);
        per_class.or(self.label_share.map(LabelBudget::Fraction))
    }
}
