//! The classes of the examples, for a loss that contrasts classes.

use std::collections::HashSet;

use crate::error::TrainError;
use crate::views::view_source::{Skipped, ViewSource};

/// Refuses a source for a loss that contrasts classes: one with an example that has none, or with one class alone.
pub(crate) fn check_labels<I: 'static>(source: &dyn ViewSource<I>) -> Result<(), TrainError> {
    let examples = source.len();
    let labels: Vec<usize> = (0..examples).filter_map(|index| source.label(index)).collect();
    let unlabelled = examples - labels.len();
    if unlabelled > 0 {
        return Err(TrainError::Unlabelled { unlabelled, examples });
    }
    let classes: HashSet<usize> = labels.into_iter().collect();
    if classes.len() < 2 {
        return Err(TrainError::OneClass { examples });
    }
    Ok(())
}

/// The classes of the examples `tried` that were not skipped, in their order; `None` unless all of them have one.
pub(crate) fn labels_of<I: 'static>(
    source: &dyn ViewSource<I>,
    tried: &[usize],
    skipped: &[Skipped],
) -> Option<Vec<usize>> {
    let skipped: HashSet<usize> = skipped.iter().map(|skipped| skipped.index).collect();
    let read = tried.iter().filter(|index| !skipped.contains(index));
    read.map(|&index| source.label(index)).collect()
}
