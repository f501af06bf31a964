//! `simclr eval finetune`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::ImageDataset;
use simclr::eval::{FineTune, FineTuneConfig, FineTuneProgress, FineTuned, LinearStart};

use super::labels::LabelArgs;
use super::predictions::PredictionArgs;
use crate::bar::Bar;
use crate::data_args::DataArgs;
use crate::encoder_args::{EncoderArgs, TrainedEncoder};
use crate::failure::Interrupted;
use crate::interrupt::on_ctrl_c;
use crate::output::{Output, print_skipped};
use crate::watched::Watched;

#[derive(Args)]
pub(crate) struct FineTuneArguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Start from random weights instead: what labels alone are worth
    #[arg(long)]
    from_random_weights: bool,
    /// Passes over the labelled images
    #[arg(long, value_name = "N", default_value_t = 30)]
    epochs: usize,
    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,
    /// SGD and the learning rate of the paper (0.05 for a batch of 256), a linear layer that starts from
    /// zeros
    #[arg(long)]
    paper: bool,
    /// The first step's learning rate [default: 0.001, by AdamW]
    #[arg(long = "lr", value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Seed of the order, the crops and the flips
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    predictions: PredictionArgs,
    /// Keep the fine-tuned network as a classifier in this file: .safetensors
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl FineTuneArguments {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        self.predictions.check()?;
        let trained = if self.from_random_weights {
            self.encoder.load_untrained()?
        } else {
            self.encoder.load()?
        };
        let (labelled, data) = self.data.labelled()?;
        let train: Arc<dyn ImageDataset> = match self.labels.budget()? {
            Some(budget) => Arc::new(budget.subset(&labelled.train, self.seed)?),
            None => Arc::clone(&labelled.train),
        };
        let name = self.encoder.name();
        let of = if self.from_random_weights {
            format!("random weights instead of {name}")
        } else {
            name
        };
        output.line(format!("{of}; {data}"));

        let tuned = self.fit(&trained, &train)?;
        print_skipped(&tuned.skipped);
        let watched = Watched::new("embedding the test set", &labelled.test);
        let test = tuned.classifier.embedder().embed_labelled(&watched)?;
        drop(watched);
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

    fn fit(&self, trained: &TrainedEncoder, train: &Arc<dyn ImageDataset>) -> Result<FineTuned> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        on_ctrl_c(move || asked.store(true, Ordering::Relaxed))?;
        let bar = Bar::new("fine-tuning", self.epochs * train.len(), "images");
        let fine_tune = FineTune::new(self.config())?;
        let tuned = fine_tune.fit(&trained.embedder, train, |progress: FineTuneProgress| {
            bar.set(progress.epoch * train.len());
            if stop.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if stop.load(Ordering::Relaxed) {
            let message = format!("stopped after epoch {} of {}", tuned.epochs, self.epochs);
            return Err(Interrupted(message).into());
        }
        Ok(tuned)
    }

    fn config(&self) -> FineTuneConfig {
        let (epochs, batch_size) = (self.epochs, self.batch_size);
        let mut config = if self.paper {
            FineTuneConfig::paper(epochs, batch_size)
        } else {
            FineTuneConfig { epochs, batch_size, ..FineTuneConfig::default() }
        };
        if self.from_random_weights {
            // Their features, before batch normalisation has seen an image, are not those of training.
            config.start = LinearStart::Zero;
        }
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        FineTuneConfig { seed: self.seed, ..config }
    }
}
