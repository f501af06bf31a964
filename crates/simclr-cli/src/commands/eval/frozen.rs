//! What kNN and linear probes have in common: they classify images by frozen features.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::{ImageDataset, Stl10};
use simclr::embed::{LabelledFeatures, labels_of};
use simclr::eval::{Evaluation, Protocol, Spread, evaluate, over_folds};

use super::labels::LabelArgs;
use super::predictions::PredictionArgs;
use super::subject::{Subject, SubjectArgs};
use crate::bar::while_waiting;
use crate::failure::usage;
use crate::output::Output;

/// Draws of few labels, with the seeds from 0.
const DRAWS: u64 = 5;

#[derive(Args)]
pub(super) struct FrozenArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    labels: LabelArgs,
    /// Learn from each of STL-10's ten official folds of 1,000 labels in turn; mean and standard
    /// deviation are reported
    #[arg(long, requires = "data", conflicts_with_all = ["labels_per_class", "label_share", "images"])]
    stl10_folds: bool,
    #[command(flatten)]
    predictions: PredictionArgs,
}

/// What was measured.
pub(super) struct Measured {
    /// The evaluation, or that of the first draw.
    pub(super) first: Evaluation,
    /// All of it, for machines.
    pub(super) json: Value,
}

impl FrozenArgs {
    pub(super) fn is_of_raw_pixels(&self) -> bool {
        self.subject.is_raw_pixels()
    }

    /// Checks the arguments, and opens what is evaluated.
    pub(super) fn open(&self) -> Result<Subject> {
        self.predictions.check()?;
        self.labels.budget()?;
        self.folds()?;
        let subject = self.subject.open()?;
        self.labels.warn_of_shortfalls(&subject.labelled.train)?;
        Ok(subject)
    }

    /// Evaluates `subject` and prints the figures. Each set is embedded once, however many draws there are.
    pub(super) fn evaluate(
        &self,
        protocol: &dyn Protocol,
        subject: &Subject,
        output: &Output,
    ) -> Result<Measured> {
        output.line(format!("{}; {}", subject.name, subject.data));
        let (train, test) = subject.embed()?;
        let sets = [&train, &test.labelled];
        let measured = match self.draws(&train)? {
            Some(draws) => over_draws(protocol, subject, sets, &draws, output)?,
            None => at_once(protocol, subject, sets, output)?,
        };
        self.predictions.write(&measured.first, &test.indices, &subject.labelled.test, output)?;
        Ok(measured)
    }

    /// The number of images that a protocol learns from at once: those of the largest draw, if there are draws.
    pub(super) fn most_training_images(&self, train: &dyn ImageDataset) -> Result<usize> {
        if let Some(folds) = self.folds()? {
            return Ok(folds.iter().map(Vec::len).max().unwrap_or(0));
        }
        let Some(budget) = self.labels.budget()? else { return Ok(train.len()) };
        Ok(budget.draw(&labels_of(train)?, 0).len())
    }

    /// STL-10's folds, if they are asked for.
    fn folds(&self) -> Result<Option<Vec<Vec<usize>>>> {
        let folder = self.subject.data_folder().filter(|_| self.stl10_folds);
        Ok(folder.map(Stl10::folds).transpose()?)
    }

    /// The training images of each draw, unless all are to be learnt from at once.
    fn draws(&self, train: &LabelledFeatures) -> Result<Option<Vec<Vec<usize>>>> {
        if let Some(folds) = self.folds()? {
            return Ok(Some(folds));
        }
        let Some(budget) = self.labels.budget()? else { return Ok(None) };
        Ok(Some((0..DRAWS).map(|seed| budget.draw(train.labels(), seed)).collect()))
    }
}

fn at_once(
    protocol: &dyn Protocol,
    subject: &Subject,
    [train, test]: [&LabelledFeatures; 2],
    output: &Output,
) -> Result<Measured> {
    let names = subject.labelled.train.class_names();
    let first = while_waiting("evaluating", || evaluate(protocol, train, test, names))?;
    output.line(&first.report);
    let json = json!({ "of": subject.name, "data": subject.data, "report": first.report });
    Ok(Measured { first, json })
}

fn over_draws(
    protocol: &dyn Protocol,
    subject: &Subject,
    sets: [&LabelledFeatures; 2],
    draws: &[Vec<usize>],
    output: &Output,
) -> Result<Measured> {
    let names = subject.labelled.train.class_names();
    let evaluations = while_waiting("evaluating", || over_folds(protocol, sets, draws, names))?;
    let (spread, protocol) = (Spread::new(&evaluations), protocol.describe());
    output.line(format!("{protocol}, few labels: {spread}"));
    let json = json!({
        "of": subject.name,
        "data": subject.data,
        "protocol": protocol,
        "accuracies": spread.accuracies,
        "mean": spread.mean(),
        "standard_deviation": spread.standard_deviation(),
        "train_images": spread.train_images,
    });
    let first = evaluations.into_iter().next();
    let first = first.ok_or_else(|| usage("expected at least one draw of labels, found none"))?;
    Ok(Measured { first, json })
}
