//! Which examples could not be read.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::TrainError;
use crate::views::view_source::Skipped;

/// The examples that could not be read, and the share of the data set at which that ends a run.
///
/// It counts examples, not reads: one that is skipped in each epoch is one, and one that can be read again later, as after
/// a hiccup of the network, no longer counts for the limit.
#[derive(Debug)]
pub(crate) struct Unreadable {
    examples: usize,
    /// The largest share of unreadable examples, in 0..=1.
    limit: f64,
    /// Every example that was skipped, and why it was at the first time.
    skipped: BTreeMap<usize, String>,
    /// Those of them that could not be read at the last try.
    now: BTreeSet<usize>,
    /// Those that nobody has been told of.
    untold: Vec<Skipped>,
}

impl Unreadable {
    pub(crate) fn new(examples: usize, limit: f64) -> Self {
        let (skipped, now, untold) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { examples, limit, skipped, now, untold }
    }

    /// Notes which of the examples `tried` were skipped.
    ///
    /// # Errors
    ///
    /// [`TrainError::TooManySkipped`] if more than the limit cannot be read.
    pub(crate) fn note(
        &mut self,
        tried: &[usize],
        skipped: Vec<Skipped>,
    ) -> Result<(), TrainError> {
        for index in tried {
            self.now.remove(index);
        }
        for skipped in skipped {
            self.now.insert(skipped.index);
            if let Entry::Vacant(first) = self.skipped.entry(skipped.index) {
                first.insert(skipped.reason.clone());
                self.untold.push(skipped);
            }
        }
        let found = self.now.len();
        if found as f64 <= self.limit * self.examples as f64 {
            return Ok(());
        }
        let reason = self.now.first().and_then(|index| self.skipped.get(index));
        Err(TrainError::TooManySkipped {
            skipped: found,
            examples: self.examples,
            limit: self.limit,
            first: reason.cloned().unwrap_or_default(),
        })
    }

    /// Every example that was skipped, once.
    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        let skipped = self.skipped.iter();
        skipped.map(|(&index, reason)| Skipped { index, reason: reason.clone() }).collect()
    }

    /// The examples that were skipped for the first time since this was last asked.
    pub(crate) fn take_untold(&mut self) -> Vec<Skipped> {
        std::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(indices: &[usize]) -> Vec<Skipped> {
        let torn = |&index: &usize| Skipped { index, reason: format!("{index}.png is torn") };
        indices.iter().map(torn).collect()
    }

    #[test]
    fn an_example_that_is_skipped_again_and_again_is_one() {
        let mut unreadable = Unreadable::new(10, 0.1);
        for _ in 0..5 {
            unreadable.note(&[3, 4], skip(&[3])).unwrap();
        }
        assert_eq!((unreadable.skipped(), unreadable.take_untold()), (skip(&[3]), skip(&[3])));
        assert_eq!(unreadable.take_untold(), []);
        let error = unreadable.note(&[5], skip(&[5])).unwrap_err().to_string();
        assert_eq!(
            error,
            "expected at most 10 % of 10 examples to be unreadable, found 2 so far; the first: 3.png is torn"
        );
    }

    #[test]
    fn an_example_that_can_be_read_again_counts_no_more() {
        let mut unreadable = Unreadable::new(10, 0.1);
        for index in 0..10 {
            unreadable.note(&[index], skip(&[index])).unwrap();
            unreadable.note(&[index], Vec::new()).unwrap();
        }
        assert_eq!(unreadable.skipped().len(), 10);
    }

    #[test]
    fn a_limit_of_zero_stops_at_the_first_and_a_limit_of_one_never() {
        let note = |limit| Unreadable::new(2, limit).note(&[0, 1], skip(&[0, 1]));
        assert!(note(0.0).is_err() && note(0.5).is_err());
        note(1.0).unwrap();
        Unreadable::new(2, 0.0).note(&[0, 1], Vec::new()).unwrap();
    }
}
