//! How the parts of a data set are used.

use std::sync::Arc;

use super::{Splits, hold_out::HoldOut, labelled::Labelled};
use crate::{Concat, DataError, DataIndex, ImageDataset, Subset, derived::aligned, printable};

/// A set and what it is called.
pub(super) type NamedSet = (String, Arc<dyn ImageDataset>);

/// The parts of a data set that were found.
pub(super) struct Found {
    /// What the data set is, for people.
    pub(super) kind: &'static str,
    pub(super) train: Option<Arc<dyn ImageDataset>>,
    /// Sets that may serve as the test set, by name, the best first. Never pretrained on.
    pub(super) tests: Vec<NamedSet>,
    pub(super) unlabelled: Option<Arc<dyn ImageDataset>>,
    /// What was guessed or left out.
    pub(super) warnings: Vec<String>,
    /// See [`Splits::index`].
    pub(super) index: Option<DataIndex>,
}

impl Found {
    /// Pretrains on the unlabelled and the training images. Without a test split of the same classes, holds one out.
    pub(super) fn assemble(self) -> Result<Splits, DataError> {
        let Self { kind, train, tests, unlabelled, mut warnings, index } = self;
        let mut parts: Vec<_> = unlabelled.into_iter().collect();
        let mut labelled = None;
        let mut origin = String::new();
        if let Some(all) = train {
            let train = labelled_only(Arc::clone(&all))?;
            if let Some((name, test)) = choose_test(&train, tests, &mut warnings)? {
                if name != "test" {
                    origin = format!(" (`{}`)", printable(&name));
                }
                labelled = Some(Labelled { train, test });
                parts.push(all);
            } else {
                let split = HoldOut::of(&all)?;
                if split.labelled.is_some() {
                    " (every fifth of each class, held out)".clone_into(&mut origin);
                }
                labelled = split.labelled;
                parts.push(split.rest);
            }
        }
        let pretrain = match parts.len() {
            1 => parts.remove(0),
            _ => Arc::new(Concat::new(parts)),
        };
        let description = describe(kind, pretrain.len(), labelled.as_ref(), &origin);
        Ok(Splits { pretrain, labelled, description, warnings, index })
    }
}

/// The first set that has images of the training set's classes, and those images.
pub(super) fn choose_test(
    train: &Arc<dyn ImageDataset>,
    tests: Vec<NamedSet>,
    warnings: &mut Vec<String>,
) -> Result<Option<NamedSet>, DataError> {
    let mut chosen = None;
    for (name, test) in tests {
        let shown = printable(&name);
        if chosen.is_some() {
            warnings.push(format!("`{shown}` is not used"));
            continue;
        }
        if !is_labelled(&test) {
            warnings.push(format!("`{shown}` is not used: it has no class folders"));
            continue;
        }
        let (test, missing) = aligned(train, labelled_only(test)?)?;
        if test.is_empty() {
            warnings.push(format!("`{shown}` is not used: it has no class of the training set"));
            continue;
        }
        if !missing.is_empty() {
            let classes: Vec<_> = missing.iter().map(|class| printable(class)).collect();
            let classes = classes.join(", ");
            warnings.push(format!(
                "classes of `{shown}` that the training set lacks are left out: {classes}"
            ));
        }
        chosen = Some((name, test));
    }
    Ok(chosen)
}

fn is_labelled(dataset: &Arc<dyn ImageDataset>) -> bool {
    !dataset.class_names().is_empty()
}

/// The set without the images that lie beside the class folders.
pub(super) fn labelled_only(
    dataset: Arc<dyn ImageDataset>,
) -> Result<Arc<dyn ImageDataset>, DataError> {
    let labelled: Vec<usize> =
        (0..dataset.len()).filter(|&index| dataset.label(index).is_some()).collect();
    if labelled.len() == dataset.len() {
        return Ok(dataset);
    }
    Ok(Arc::new(Subset::new(dataset, labelled)?))
}

fn describe(kind: &str, pretrain: usize, labelled: Option<&Labelled>, origin: &str) -> String {
    let pretrain = format!("{kind}: {pretrain} images to pretrain on");
    let Some(Labelled { train, test }) = labelled else {
        return format!("{pretrain}, no labels to evaluate with");
    };
    let (classes, train, test) = (train.class_names().len(), train.len(), test.len());
    format!(
        "{pretrain}, {train} labelled ones of {classes} classes in the training set and {test} in the test set{origin}"
    )
}
