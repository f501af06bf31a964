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
/// let rows = LabelBudget::per_class(2)?.draw(&[0, 1, 0, 0, 1, 1, 1], 7)?;
/// assert_eq!(rows.len(), 4);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelBudget(Budget);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Budget {
    PerClass(usize),
    Fraction(f64),
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

    /// Draws the rows of `labels` that keep their label: as many of each class, ascending.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooFewImages`] if a class has fewer images.
    pub fn draw(self, labels: &[usize], seed: u64) -> Result<Vec<usize>, EvalError> {
        let classes = labels.iter().max().map_or(0, |&label| label + 1);
        let mut members = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            members[label].push(row);
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = Vec::new();
        for (class, mut rows) in members.into_iter().enumerate().filter(|(_, m)| !m.is_empty()) {
            let expected = match self.0 {
                Budget::PerClass(images) => images,
                Budget::Fraction(share) => ((share * rows.len() as f64).round() as usize).max(1),
            };
            if rows.len() < expected {
                return Err(EvalError::TooFewImages { class, expected, found: rows.len() });
            }
            rows.shuffle(&mut random);
            drawn.extend_from_slice(&rows[..expected]);
        }
        drawn.sort_unstable();
        Ok(drawn)
    }

    /// Draws the images of a labelled set that keep their label, to [fine-tune](crate::FineTune) on them.
    ///
    /// # Errors
    ///
    /// Those of [`draw`](Self::draw); [`EvalError::Embed`] if an image has no label.
    pub fn subset(self, images: &Arc<dyn ImageDataset>, seed: u64) -> Result<Subset, EvalError> {
        let drawn = self.draw(&labels_of(images)?, seed)?;
        Ok(Subset::new(Arc::clone(images), drawn)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_draw_has_as_many_of_each_class_and_none_twice(
            labels in prop::collection::vec(0_usize..4, 1..80),
            count in 1_usize..5,
            seed in any::<u64>(),
        ) {
            let in_class = |class| labels.iter().filter(|&&label| label == class).count();
            let fewest = labels.iter().map(|&class| in_class(class)).min().unwrap();
            let drawn = LabelBudget::per_class(count).unwrap().draw(&labels, seed);
            if fewest < count {
                prop_assert!(
                    matches!(drawn, Err(EvalError::TooFewImages { .. })), "expected a refusal"
                );
            } else {
                let drawn = drawn.unwrap();
                prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
                for class in 0..4 {
                    let found = drawn.iter().filter(|&&row| labels[row] == class).count();
                    prop_assert_eq!(found, if in_class(class) == 0 { 0 } else { count });
                }
            }
        }
    }

    #[test]
    fn a_tiny_fraction_keeps_one_image_of_each_class() {
        let labels = [0, 0, 0, 1, 1, 2];
        let draw = |share| LabelBudget::fraction(share).unwrap().draw(&labels, 0).unwrap();
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
