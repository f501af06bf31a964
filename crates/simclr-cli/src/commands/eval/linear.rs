//! `simclr eval linear`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use simclr::embed::labels_of;
use simclr::eval::{
    Classifier, EvalError, LinearProbe, LogisticRegression, LogisticRegressionConfig, Protocol,
    SgdProbe,
};

use super::frozen::FrozenArgs;
use super::subject::Subject;
use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::Output;

/// Iterations of L-BFGS on raw pixels: neighbouring ones say nearly the same, and the optimum would take minutes.
const ITERATIONS_ON_PIXELS: usize = 100;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    frozen: FrozenArgs,
    /// Train by SGD for 90 epochs, as in the papers, instead of logistic regression: to the optimum by L-BFGS, or on the
    /// device by minibatches for more than 100,000 training images
    #[arg(long)]
    sgd: bool,
    /// Inverse strength of the penalty on the weights, as scikit-learn's C
    #[arg(
        long,
        value_name = "C",
        default_value_t = 1.0,
        conflicts_with = "sgd",
        allow_negative_numbers = true
    )]
    c: f64,
    /// Keep encoder and linear layer as a classifier in this file, .safetensors; of several draws, the
    /// first one's layer
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        if self.save.is_some() && self.frozen.is_of_raw_pixels() {
            return Err(usage("expected --save with an encoder, found raw pixels"));
        }
        check_folder_of(self.save.as_deref())?;
        self.check_penalty()?;
        let subject = self.frozen.open()?;
        let protocol = self.protocol(&subject)?;
        EvalError::check_classes(&labels_of(&subject.labelled.train)?)?;
        let measured = self.frozen.evaluate(protocol.as_ref(), &subject, output)?;
        if let (Some(path), Some(layer)) = (&self.save, measured.first.layer) {
            let names = subject.labelled.train.class_names().to_vec();
            Classifier::new(subject.embedder, layer, names)?.save(path)?;
            output.line(format!("classifier: {}", path.display()));
        }
        output.result(&measured.json);
        Ok(())
    }

    /// Refuses `--c` before anything is opened.
    fn check_penalty(&self) -> Result<()> {
        let config = LogisticRegressionConfig { c: self.c, ..Default::default() };
        Ok(LogisticRegression::new(config).map(drop)?)
    }

    fn protocol(&self, subject: &Subject) -> Result<Box<dyn Protocol>> {
        if self.sgd {
            return Ok(Box::new(SgdProbe::default()));
        }
        let images = self.frozen.most_training_images(&subject.labelled.train)?;
        let probe = LinearProbe::for_images(images, self.c, subject.embedder.device())?;
        match probe {
            LinearProbe::Exact(_) if self.frozen.is_of_raw_pixels() => {
                let max_iterations = ITERATIONS_ON_PIXELS;
                let config =
                    LogisticRegressionConfig { c: self.c, max_iterations, ..Default::default() };
                Ok(Box::new(LogisticRegression::new(config)?))
            }
            probe => Ok(Box::new(probe)),
        }
    }
}
