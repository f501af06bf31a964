//! How the parts of a data set are used.

use std::sync::Arc;

use super::{Splits, hold_out::HoldOut, labelled::Labelled};
use crate::{Concat, DataError, ImageDataset, Subset, derived::Aligned};

/// The parts of a data set that were found.
pub(super) struct Found {
    /// What the data set is, for people.
    pub(super) kind: &'static str,
    pub(super) train: Option<Arc<dyn ImageDataset>>,
    /// Never pretrained on, and ignored without labels.
    pub(super) test: Option<Arc<dyn ImageDataset>>,
    pub(super) unlabelled: Option<Arc<dyn ImageDataset>>,
}

impl Found {
    /// Pretrains on the unlabelled and the training images. Without a labelled test split, holds one out.
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

/// The set without the images that lie beside the class folders.
fn labelled_only(dataset: Arc<dyn ImageDataset>) -> Result<Arc<dyn ImageDataset>, DataError> {
    let labelled: Vec<usize> =
        (0..dataset.len()).filter(|&index| dataset.label(index).is_some()).collect();
    if labelled.len() == dataset.len() {
        return Ok(dataset);
    }
    Ok(Arc::new(Subset::new(dataset, labelled)?))
}

fn describe(kind: &str, pretrain: usize, labelled: Option<&Labelled>, held_out: bool) -> String {
    let pretrain = format!("{kind}: {pretrain} images to pretrain on");
    let Some(Labelled { train, test }) = labelled else {
        return format!("{pretrain}, no labels to evaluate with");
    };
    let (classes, train, test) = (train.class_names().len(), train.len(), test.len());
    let origin = if held_out { " (every fifth of each class, held out)" } else { "" };
    format!(
        "{pretrain}, {train} labelled ones of {classes} classes in the training set and {test} in the test set{origin}"
    )
}
