//! `simclr eval`.

mod subject;

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use clap::{Args, Subcommand};
use serde_json::json;
use simclr::eval::{
    Classifier, Evaluation, Knn, LabelBudget, LinearLayer, LogisticRegression, PredictionTable,
    SgdProbe, evaluate, with_few_labels,
};

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
    /// Learn from so many labels of each class only, in five draws: the mean and how far they are apart
    #[arg(long, value_name = "N", conflicts_with = "label_share")]
    labels_per_class: Option<usize>,
    /// Learn from this share of the labels only, such as 0.01, in five draws
    #[arg(long, value_name = "SHARE")]
    label_share: Option<f64>,
    /// Write what was said of each image to this file: .csv or .json
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

impl Protocol {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::Knn(arguments) => arguments.run(output),
            Self::Linear(arguments) => arguments.run(output),
        }
    }
}

impl KnnArguments {
    fn run(&self, output: &Output) -> Result<()> {
        self.common.check()?;
        let subject = self.common.subject.load(output)?;
        let k = self.k.unwrap_or_else(|| Knn::for_bank(subject.train.labels.len()).k);
        let knn = Knn { k, temperature: self.temperature };
        self.common.evaluate(&knn, &subject, output)?;
        Ok(())
    }
}

impl LinearArguments {
    fn run(&self, output: &Output) -> Result<()> {
        self.common.check()?;
        let subject = self.common.subject.load(output)?;
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
    /// What can be refused before anything is computed.
    fn check(&self) -> Result<()> {
        match self.predictions.as_ref().map(|path| (path, path.extension())) {
            Some((path, extension)) if !extension.is_some_and(|e| e == "csv" || e == "json") => {
                let path = path.display();
                Err(usage(format!("expected --predictions to end in .csv or .json, found {path}")))
            }
            _ => Ok(()),
        }
    }

    fn budget(&self) -> Option<LabelBudget> {
        let per_class = self.labels_per_class.map(LabelBudget::PerClass);
        per_class.or(self.label_share.map(LabelBudget::Fraction))
    }

    fn evaluate(
        &self,
        protocol: &dyn simclr::eval::Protocol,
        subject: &Subject,
        output: &Output,
    ) -> Result<()> {
        let (train, test) = (&subject.train, &subject.test.labelled);
        let device = subject.trained.as_ref().map_or_else(Device::default, |t| t.device.clone());
        output.line(format!("{}; {}", subject.name, subject.data));
        if let Some(budget) = self.budget() {
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
        self.write_predictions(&evaluation, subject, output)?;
        output.result(&json!({
            "of": subject.name,
            "data": subject.data,
            "report": evaluation.report,
        }));
        Ok(())
    }

    fn write_predictions(
        &self,
        evaluation: &Evaluation,
        subject: &Subject,
        output: &Output,
    ) -> Result<()> {
        let Some(path) = &self.predictions else { return Ok(()) };
        let images = &subject.test.images;
        let queries = &subject.labelled.queries;
        let table = PredictionTable::new(&evaluation.predictions, images, queries)?;
        if path.extension().is_some_and(|extension| extension == "csv") {
            table.write_csv(path)?;
        } else {
            table.write_json(path)?;
        }
        output.line(format!("predictions: {}", path.display()));
        Ok(())
    }
}
