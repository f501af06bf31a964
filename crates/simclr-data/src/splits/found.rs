//! From the parts of a data set to its use.

use std::{fmt::Write as _, sync::Arc};

use super::{Labelled, Splits, aligned::Aligned, hold_out::HoldOut};
use crate::{Concat, DataError, ImageDataset, Subset};

/// The parts of a data set that are there.
pub(super) struct Found {
    /// What it is, for people.
    pub(super) kind: &'static str,
    pub(super) train: Option<Arc<dyn ImageDataset>>,
    /// Never pretrained on; of use only with labels.
    pub(super) test: Option<Arc<dyn ImageDataset>>,
    pub(super) unlabelled: Option<Arc<dyn ImageDataset>>,
}

impl Found {
    pub(super) fn assemble(self) -> Result<Splits, DataError> {
        let mut parts: Vec<_> = self.unlabelled.into_iter().collect();
        let mut labelled = None;
        let mut held_out = false;
        if let Some(train) = self.train {
            if let Some(test) = self.test.filter(|test| is_labelled(test) && is_labelled(&train)) {
                parts.push(Arc::clone(&train));
                let train = labelled_only(train)?;
                let test = Aligned::to(&train, labelled_only(test)?)?;
                labelled = Some(Labelled { train, test });
            } else {
                let split = HoldOut::of(&train)?;
                held_out = split.labelled.is_some();
                labelled = split.labelled;
                parts.push(split.rest);
            }
        }
        let pretrain = match parts.len() {
            1 => parts.remove(0),
            _ => Arc::new(Concat::new(parts)),
        };
        let description = describe(self.kind, pretrain.len(), labelled.as_ref(), held_out);
        Ok(Splits { pretrain, labelled, description })
    }
}

fn is_labelled(dataset: &Arc<dyn ImageDataset>) -> bool {
    !dataset.class_names().is_empty()
}

/// Leaves out images that lie beside the class folders.
fn labelled_only(dataset: Arc<dyn ImageDataset>) -> Result<Arc<dyn ImageDataset>, DataError> {
    let labelled: Vec<usize> =
        (0..dataset.len()).filter(|&index| dataset.label(index).is_some()).collect();
    if labelled.len() == dataset.len() {
        return Ok(dataset);
    }
    Ok(Arc::new(Subset::new(dataset, labelled)?))
}

fn describe(kind: &str, pretrain: usize, labelled: Option<&Labelled>, held_out: bool) -> String {
    let mut text = format!("{kind}: {pretrain} images to pretrain on");
    // Writing to a string cannot fail.
    let _ = match labelled {
        None => write!(text, ", no labels to evaluate with"),
        Some(Labelled { train, test }) => {
            let (classes, train, test) = (train.class_names().len(), train.len(), test.len());
            let origin =
                if held_out { "every fifth of each class, held out" } else { "of the test split" };
            write!(
                text,
                ", {train} labelled ones of {classes} classes as train, {test} test ({origin})"
            )
        }
    };
    text
}
