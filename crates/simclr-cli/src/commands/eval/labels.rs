//! How many labels to learn from.

use anyhow::Result;
use clap::Args;
use simclr::data::{ImageDataset, printable};
use simclr::embed::labels_of;
use simclr::eval::{LabelBudget, Shortfall};

use crate::output::NAMED;

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Learn from N labels of each class only, or all of a class that has fewer: kNN and linear in five draws, with their mean and
    /// standard deviation; fine-tuning in one, drawn by --seed
    #[arg(long, value_name = "N", conflicts_with = "label_share")]
    labels_per_class: Option<usize>,
    /// Learn from this share of each class's labels only, such as 0.01
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    label_share: Option<f64>,
}

impl LabelArgs {
    /// Says on standard error which classes of the training set have fewer labels than are to be learnt from.
    pub(super) fn warn_of_shortfalls(&self, train: &dyn ImageDataset) -> Result<()> {
        let Some(budget) = self.budget()? else { return Ok(()) };
        let names = train.class_names();
        let shortfalls = budget.shortfalls(&labels_of(train)?, names.len());
        let Some(first) = shortfalls.first() else { return Ok(()) };
        let class =
            |short: &Shortfall| format!("{} {}", printable(&names[short.class]), short.found);
        let named: Vec<_> = shortfalls.iter().take(NAMED).map(class).collect();
        let more = if shortfalls.len() > NAMED { ", ..." } else { "" };
        eprintln!(
            "warning: {} of {} classes have fewer than {} labels to learn from, and give all: {}{more}",
            shortfalls.len(),
            names.len(),
            first.expected,
            named.join(", ")
        );
        Ok(())
    }

    pub(super) fn budget(&self) -> Result<Option<LabelBudget>> {
        Ok(match (self.labels_per_class, self.label_share) {
            (Some(images), _) => Some(LabelBudget::per_class(images)?),
            (None, Some(share)) => Some(LabelBudget::fraction(share)?),
            (None, None) => None,
        })
    }
}
