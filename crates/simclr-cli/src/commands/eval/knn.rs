//! `simclr eval knn`.

use anyhow::Result;
use clap::Args;
use simclr::eval::{Knn, KnnConfig};

use super::frozen::FrozenArgs;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    frozen: FrozenArgs,
    /// Neighbours that vote [default: 200, or 20 for a training set of 4,000 images or fewer]
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Temperature of the vote: a neighbour counts exp(cosine / temperature)
    #[arg(long, value_name = "T", default_value_t = 0.1, allow_negative_numbers = true)]
    temperature: f64,
}

impl Arguments {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        let subject = self.frozen.open()?;
        let usual = KnnConfig::for_training_images(subject.labelled.train.len());
        let config = KnnConfig { k: self.k.unwrap_or(usual.k), temperature: self.temperature };
        let knn = Knn::new(config, subject.embedder.device())?;
        let measured = self.frozen.evaluate(&knn, &subject, output)?;
        output.result(&measured.json);
        Ok(())
    }
}
