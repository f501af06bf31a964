//! `simclr eval`.

mod finetune;
mod labels;
mod predictions;
mod subject;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use simclr::data::Stl10;
use simclr::embed::LabelledFeatures;
use simclr::eval::{
    Classifier, Evaluation, Knn, KnnConfig, LogisticRegression, LogisticRegressionConfig, SgdProbe,
    Spread, evaluate, over_folds,
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
    /// Learn from each of STL-10's ten official folds of 1,000 labels in turn: the mean and how far they
    /// are apart
    #[arg(long, conflicts_with_all = ["labels_per_class", "label_share", "images"])]
    stl10_folds: bool,
    #[command(flatten)]
    predictions: PredictionArgs,
}

/// Draws of few labels, by the seeds from 0.
const DRAWS: u64 = 5;

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
        let k = self.k.unwrap_or_else(|| KnnConfig::for_training_images(subject.train.len()).k);
        let config = KnnConfig { k, temperature: self.temperature };
        let knn = Knn::new(config, &subject.device)?;
        let (result, _) = self.common.evaluate(&knn, &subject, output)?;
        output.result(&result);
        Ok(())
    }
}

impl LinearArguments {
    fn run(&self, output: &Output) -> Result<()> {
        self.common.predictions.check()?;
        if self.save.is_some() && self.common.subject.is_raw_pixels() {
            return Err(usage("expected --save with an encoder, found raw pixels"));
        }
        let subject = self.common.subject.load()?;
        let mut config = LogisticRegressionConfig { c: self.c, ..Default::default() };
        if subject.trained.is_none() {
            // Neighbouring pixels say the same: L-BFGS would take minutes to its optimum.
            config.max_iterations = 100;
        }
        let (logistic, sgd) = (LogisticRegression::new(config)?, SgdProbe::default());
        let protocol: &dyn simclr::eval::Protocol = if self.sgd { &sgd } else { &logistic };
        let (result, evaluations) = self.common.evaluate(protocol, &subject, output)?;
        let first = evaluations.into_iter().next().and_then(|evaluation| evaluation.layer);
        if let (Some(path), Some(trained), Some(layer)) = (&self.save, &subject.trained, first) {
            let names = subject.labelled.train.class_names().to_vec();
            Classifier::new(trained.embedder.clone(), layer, names)?.save(path)?;
            output.line(format!("classifier: {}", path.display()));
        }
        output.result(&result);
        Ok(())
    }
}

impl Common {
    /// Prints the figures, and gives them for machines, with the evaluation of each draw, or the one of all labels.
    fn evaluate(
        &self,
        protocol: &dyn simclr::eval::Protocol,
        subject: &Subject,
        output: &Output,
    ) -> Result<(Value, Vec<Evaluation>)> {
        let sets = [&subject.train, &subject.test.labelled];
        let names = subject.labelled.train.class_names();
        output.line(format!("{}; {}", subject.name, subject.data));
        if let Some(draws) = self.draws(&subject.train)? {
            let evaluations =
                while_waiting("evaluating", || over_folds(protocol, sets, &draws, names))?;
            let spread = Spread::new(&evaluations);
            output.line(format!("{}, few labels: {spread}", protocol.describe()));
            let result = json!({
                "of": subject.name,
                "data": subject.data,
                "protocol": protocol.describe(),
                "accuracies": spread.accuracies,
                "mean": spread.mean(),
                "standard_deviation": spread.standard_deviation(),
                "train_images": spread.train_images,
            });
            return Ok((result, evaluations));
        }
        let evaluation =
            while_waiting("evaluating", || evaluate(protocol, sets[0], sets[1], names))?;
        output.line(&evaluation.report);
        let (indices, test) = (&subject.test.indices, &subject.labelled.test);
        self.predictions.write(&evaluation, indices, test, output)?;
        let report = &evaluation.report;
        let result = json!({ "of": subject.name, "data": subject.data, "report": report });
        Ok((result, vec![evaluation]))
    }

    /// The labelled images of each draw, if not all are to be learnt from at once.
    fn draws(&self, train: &LabelledFeatures) -> Result<Option<Vec<Vec<usize>>>> {
        if self.stl10_folds {
            let dir = self.subject.data_folder().ok_or_else(|| {
                usage("expected --data with --stl10-folds: the folder of STL-10's files")
            })?;
            return Ok(Some(Stl10::folds(dir)?));
        }
        let Some(budget) = self.labels.budget()? else { return Ok(None) };
        let draws: Result<_, _> =
            (0..DRAWS).map(|seed| budget.draw(train.labels(), seed)).collect();
        Ok(Some(draws?))
    }
}
