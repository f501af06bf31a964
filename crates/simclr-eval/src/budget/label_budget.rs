//! How many images of each class have a label.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use simclr_data::{ImageDataset, Subset};
use simclr_embed::labels_of;
use simclr_range::OutOfRange;

use crate::error::EvalError;

/// How many images of each class have a label: a number, or a share.
///
/// ```
/// use simclr_eval::LabelBudget;
///
/// let two = LabelBudget::per_class(2)?;
/// let rows = two.draw(&[0, 1, 0, 0, 1, 1, 1, 2], 7);
/// assert_eq!(rows.len(), 5); // all that class 2 has
/// assert_eq!(two.shortfalls(&[0, 1, 0, 0, 1, 1, 1, 2], 3)[0].class, 2);
/// # Ok::<(), simclr_eval::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelBudget(Budget);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Budget {
    PerClass(usize),
    Fraction(f64),
}

/// A class that has fewer images than a [`LabelBudget`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The class.
    pub class: usize,
    /// How many images the budget asks for.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
}

impl LabelBudget {
    /// So many images of each class, at least 1.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for 0.
    pub fn per_class(images: usize) -> Result<Self, OutOfRange> {
        OutOfRange::unless(images > 0, "images per class", "at least 1", images)?;
        Ok(Self(Budget::PerClass(images)))
    }

    /// This share of each class, above 0 and at most 1, but at least one image: 0.01 and 0.1 are usual on `ImageNet`
    /// (Chen et al. 2020, section 6).
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for another share.
    pub fn fraction(share: f64) -> Result<Self, OutOfRange> {
        let legal = share > 0.0 && share <= 1.0;
        OutOfRange::unless(legal, "fraction", "above 0 and at most 1", share)?;
        Ok(Self(Budget::Fraction(share)))
    }

    /// Draws the rows of `labels` that keep their label, ascending: as many of each class, and all of a class that has
    /// fewer. [`shortfalls`](Self::shortfalls) says which classes those are.
    #[must_use]
    pub fn draw(self, labels: &[usize], seed: u64) -> Vec<usize> {
        let classes = labels.iter().max().map_or(0, |&label| label + 1);
        let mut members = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            members[label].push(row);
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = Vec::new();
        for mut rows in members.into_iter().filter(|rows| !rows.is_empty()) {
            let wanted = self.of_class(rows.len());
            rows.shuffle(&mut random);
            drawn.extend(rows.into_iter().take(wanted));
        }
        drawn.sort_unstable();
        drawn
    }

    /// Draws the images of a labelled set that keep their label, to [fine-tune](crate::FineTune) on them.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] if an image has no label.
    pub fn subset(self, images: &Arc<dyn ImageDataset>, seed: u64) -> Result<Subset, EvalError> {
        let drawn = self.draw(&labels_of(images)?, seed);
        Ok(Subset::new(Arc::clone(images), drawn)?)
    }

    /// The classes out of `0..classes` that have fewer images in `labels` than the budget asks for, in order. A class
    /// without any is one of them: it can't be learnt.
    #[must_use]
    pub fn shortfalls(self, labels: &[usize], classes: usize) -> Vec<Shortfall> {
        let mut counts = vec![0; classes];
        for &label in labels {
            if let Some(count) = counts.get_mut(label) {
                *count += 1;
            }
        }
        let shortfall = |(class, found): (usize, usize)| {
            let expected = self.of_class(found);
            (found < expected).then_some(Shortfall { class, expected, found })
        };
        counts.into_iter().enumerate().filter_map(shortfall).collect()
    }

    /// How many labels a class of `images` images would keep.
    fn of_class(self, images: usize) -> usize {
        match self.0 {
            Budget::PerClass(wanted) => wanted,
            Budget::Fraction(share) => ((share * images as f64).round() as usize).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_draw_has_as_many_of_each_class_as_there_are_and_none_twice(
            labels in prop::collection::vec(0_usize..4, 1..80),
            count in 1_usize..30,
            seed in any::<u64>(),
        ) {
            let in_class = |class| labels.iter().filter(|&&label| label == class).count();
            let budget = LabelBudget::per_class(count).unwrap();
            let drawn = budget.draw(&labels, seed);
            prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            let shortfalls = budget.shortfalls(&labels, 4);
            for class in 0..4 {
                let found = drawn.iter().filter(|&&row| labels[row] == class).count();
                prop_assert_eq!(found, in_class(class).min(count));
                let short = Shortfall { class, expected: count, found };
                prop_assert_eq!(shortfalls.contains(&short), found < count);
            }
        }
    }

    #[test]
    fn a_share_falls_short_only_where_there_is_nothing() {
        let half = LabelBudget::fraction(0.5).unwrap();
        let expected = [Shortfall { class: 1, expected: 1, found: 0 }];
        assert_eq!(half.shortfalls(&[0, 0, 2], 3), expected);
    }

    #[test]
    fn a_tiny_fraction_keeps_one_image_of_each_class() {
        let labels = [0, 0, 0, 1, 1, 2];
        let draw = |share| LabelBudget::fraction(share).unwrap().draw(&labels, 0);
        assert_eq!(draw(0.01).len(), 3);
        assert_eq!(draw(1.0), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn neither_an_empty_nor_an_excessive_budget_is_one() {
        let none = LabelBudget::per_class(0).unwrap_err().to_string();
        assert_eq!(none, "expected images per class to be at least 1, found 0");
        let error = LabelBudget::fraction(1.5).unwrap_err().to_string();
        assert_eq!(error, "expected fraction to be above 0 and at most 1, found 1.5");
    }
}
