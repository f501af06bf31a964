//! `simclr eval finetune`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::ImageDataset;
use simclr::embed::Embedder;
use simclr::eval::{FineTune, FineTuneConfig, FineTuneProgress, FineTuned, LinearStart};

use super::labels::LabelArgs;
use super::predictions::PredictionArgs;
use crate::bar::Bar;
use crate::data_args::DataArgs;
use crate::encoder_args::EncoderArgs;
use crate::failure::Interrupted;
use crate::interrupt::on_ctrl_c;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_skipped};
use crate::watched::watched;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Start from random weights instead: shows what the labels alone teach
    #[arg(long)]
    from_random_weights: bool,
    /// Number of epochs, each one pass over the labelled images
    #[arg(long, value_name = "N", default_value_t = 30)]
    epochs: usize,
    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,
    /// Use the paper's settings: SGD at 0.05 for a batch of 256, a linear layer that starts from zeros
    #[arg(long)]
    paper: bool,
    /// The first step's learning rate [default: 0.001, by AdamW]
    #[arg(
        long = "lr",
        visible_alias = "learning-rate",
        value_name = "RATE",
        allow_negative_numbers = true
    )]
    learning_rate: Option<f64>,
    /// Seed of the labels that are drawn, the order, the crops and the flips
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    predictions: PredictionArgs,
    /// Keep the fine-tuned network as a classifier in this file, .safetensors
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        self.predictions.check()?;
        check_folder_of(self.save.as_deref())?;
        let fine_tune = FineTune::new(self.config())?;
        let budget = self.labels.budget()?;
        let embedder = if self.from_random_weights {
            self.encoder.load_untrained()?
        } else {
            self.encoder.load()?
        };
        let of = if self.from_random_weights {
            self.encoder.untrained_name()
        } else {
            self.encoder.name()
        };
        let index = self.encoder.data_index(self.data.folder());
        let (labelled, data) = self.data.labelled(embedder.transform().ground(), index)?;
        self.labels.warn_of_shortfalls(&labelled.train)?;
        let train: Arc<dyn ImageDataset> = match budget {
            Some(budget) => Arc::new(budget.subset(&labelled.train, self.seed)?),
            None => Arc::clone(&labelled.train),
        };
        output.line(format!("{of}; {data}"));

        let tuned = fit(&fine_tune, &embedder, &train)?;
        print_skipped(&tuned.skipped);
        let test = watched("embedding the test set", &labelled.test);
        let test = tuned.classifier.embedder().embed_labelled(&test)?;
        print_skipped(&test.skipped);
        let evaluation = tuned.evaluate_features(&test.labelled)?;
        output.line(&evaluation.report);
        self.predictions.write(&evaluation, &test.indices, &labelled.test, output)?;
        if let Some(path) = &self.save {
            tuned.classifier.save(path)?;
            output.line(format!("classifier: {}", path.display()));
        }
        output.result(&json!({ "of": of, "data": data, "report": evaluation.report }));
        Ok(())
    }

    fn config(&self) -> FineTuneConfig {
        let (epochs, batch_size) = (self.epochs, self.batch_size);
        let mut config = if self.paper {
            FineTuneConfig::paper(epochs, batch_size)
        } else {
            FineTuneConfig { epochs, batch_size, ..FineTuneConfig::default() }
        };
        if self.from_random_weights {
            // Before batch normalisation has seen an image, random weights give other features than in training.
            config.start = LinearStart::Zero;
        }
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        FineTuneConfig { seed: self.seed, ..config }
    }
}

/// Fine-tunes under a bar, until the end or Ctrl-C.
fn fit(
    fine_tune: &FineTune,
    embedder: &Embedder,
    train: &Arc<dyn ImageDataset>,
) -> Result<FineTuned> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    on_ctrl_c("epoch", move || asked.store(true, Ordering::Relaxed))?;
    let epochs = fine_tune.config().epochs;
    let bar = Bar::new("fine-tuning", epochs * train.len(), "images");
    let tuned = fine_tune.fit(embedder, train, |progress: FineTuneProgress| {
        bar.set(progress.epoch * train.len());
        if stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    if stop.load(Ordering::Relaxed) {
        let message = format!("stopped after epoch {} of {epochs}", tuned.epochs);
        return Err(Interrupted(message).into());
    }
    Ok(tuned)
}
