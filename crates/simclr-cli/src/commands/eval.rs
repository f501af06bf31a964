//! `simclr eval`.

mod finetune;
mod labels;
mod predictions;
mod subject;

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use clap::{Args, Subcommand};
use serde_json::json;
use simclr::eval::{
    Classifier, Knn, LinearLayer, LogisticRegression, SgdProbe, evaluate, with_few_labels,
};

use self::labels::LabelArgs;
use self::predictions::PredictionArgs;
use self::subject::{Subject, SubjectArgs};
use crate::bar::while_waiting;
use crate::failure::usage;
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Protocol {
    /// Let the nearest labelled images vote: no training, no settings but k
    Knn(KnnArguments),
    /// Train a linear layer on the frozen features
    Linear(LinearArguments),
    /// Train encoder and linear layer together on the labels
    Finetune(finetune::FineTuneArguments),
}

#[derive(Args)]
pub(crate) struct KnnArguments {
    #[command(flatten)]
    common: Common,
    /// Neighbours that vote [default: 200, or fewer where there are fewer labelled images]
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// A neighbour's vote counts exp(cosine / temperature)
    #[arg(long, value_name = "T", default_value_t = 0.1, allow_negative_numbers = true)]
    temperature: f64,
}

#[derive(Args)]
pub(crate) struct LinearArguments {
    #[command(flatten)]
    common: Common,
    /// Train by SGD for 90 epochs, as in the papers, instead of to the optimum by L-BFGS
    #[arg(long)]
    sgd: bool,
    /// Weight of the data beside the penalty on the weights, as scikit-learn's C
    #[arg(long, value_name = "C", default_value_t = 1.0, conflicts_with = "sgd")]
    c: f64,
    /// Keep encoder and linear layer as a classifier in this file: .safetensors
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

#[derive(Args)]
struct Common {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    predictions: PredictionArgs,
}

impl Protocol {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::Knn(arguments) => arguments.run(output),
            Self::Linear(arguments) => arguments.run(output),
            Self::Finetune(arguments) => arguments.run(output),
        }
    }
}

impl KnnArguments {
    fn run(&self, output: &Output) -> Result<()> {
        self.common.predictions.check()?;
        let subject = self.common.subject.load()?;
        let k = self.k.unwrap_or_else(|| Knn::for_bank(subject.train.labels.len()).k);
        let knn = Knn { k, temperature: self.temperature };
        self.common.evaluate(&knn, &subject, output)?;
        Ok(())
    }
}

impl LinearArguments {
    fn run(&self, output: &Output) -> Result<()> {
        self.common.predictions.check()?;
        let subject = self.common.subject.load()?;
        let mut logistic = LogisticRegression { c: self.c, ..LogisticRegression::default() };
        if subject.trained.is_none() {
            // Neighbouring pixels say the same: L-BFGS would take minutes to its optimum.
            logistic.max_iterations = 100;
        }
        let sgd = SgdProbe::default();
        let protocol: &dyn simclr::eval::Protocol = if self.sgd { &sgd } else { &logistic };
        self.common.evaluate(protocol, &subject, output)?;
        if let Some(path) = &self.save {
            let layer = if self.sgd {
                sgd.fit(&subject.train)?
            } else {
                logistic.fit(&subject.train)?.layer
            };
            save(&subject, layer, path)?;
            output.line(format!("classifier: {}", path.display()));
        }
        Ok(())
    }
}

fn save(subject: &Subject, layer: LinearLayer, path: &std::path::Path) -> Result<()> {
    let Some(trained) = &subject.trained else {
        return Err(usage("expected --save with an encoder, found raw pixels"));
    };
    let names = subject.labelled.bank.class_names().to_vec();
    let layer = layer.with_classes(names.len());
    let (encoder, transform) = (trained.encoder.clone(), trained.transform.clone());
    Ok(Classifier::new(encoder, layer, names, transform, &trained.device)?.save(path)?)
}

impl Common {
    fn evaluate(
        &self,
        protocol: &dyn simclr::eval::Protocol,
        subject: &Subject,
        output: &Output,
    ) -> Result<()> {
        let (train, test) = (&subject.train, &subject.test.labelled);
        let device = subject.trained.as_ref().map_or_else(Device::default, |t| t.device.clone());
        output.line(format!("{}; {}", subject.name, subject.data));
        if let Some(budget) = self.labels.budget() {
            let spread = while_waiting("evaluating", || {
                with_few_labels(protocol, [train, test], budget, &[0, 1, 2, 3, 4], &device)
            })?;
            output.line(format!("{}, few labels: {spread}", protocol.describe()));
            output.result(&json!({
                "of": subject.name,
                "data": subject.data,
                "protocol": protocol.describe(),
                "accuracies": spread.accuracies,
                "mean": spread.mean(),
                "standard_deviation": spread.standard_deviation(),
                "train_images": spread.train_images,
            }));
            return Ok(());
        }
        let names = subject.labelled.bank.class_names();
        let evaluation =
            while_waiting("evaluating", || evaluate(protocol, train, test, names, &device))?;
        output.line(&evaluation.report);
        let (images, queries) = (&subject.test.images, &subject.labelled.queries);
        self.predictions.write(&evaluation, images, queries, output)?;
        output.result(&json!({
            "of": subject.name,
            "data": subject.data,
            "report": evaluation.report,
        }));
        Ok(())
    }
}
