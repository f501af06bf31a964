//! Evaluations on several draws of the training set.

use simclr_embed::LabelledFeatures;

use super::label_budget::LabelBudget;
use crate::error::EvalError;
use crate::evaluation::{Evaluation, evaluate};
use crate::protocol::Protocol;

/// Evaluates `protocol` with few labels: on one draw of the training set per seed, always on the whole test set.
/// Several budgets in turn make a curve.
///
/// # Errors
///
/// Those of [`evaluate`]; [`EvalError::NoDraws`] without a seed.
///
/// ```
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::{LabelBudget, LogisticRegression, Spread, with_few_labels};
///
/// let line = |images: usize| {
///     let values = (0..images).map(|i| i as f32 / images as f32).collect();
///     let labels = (0..images).map(|i| usize::from(2 * i >= images)).collect();
///     LabelledFeatures::new(Features::new(values, 1), labels)
/// };
/// let (train, test) = (line(100)?, line(30)?);
/// let probe = LogisticRegression::default();
/// let budget = LabelBudget::per_class(4)?;
/// let evaluations = with_few_labels(&probe, [&train, &test], budget, &[0, 1, 2], &[])?;
/// println!("{}", Spread::new(&evaluations)); // such as "94.4 ± 6.9 % (3 draws of 8 images)"
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
pub fn with_few_labels(
    protocol: &dyn Protocol,
    [train, test]: [&LabelledFeatures; 2],
    budget: LabelBudget,
    seeds: &[u64],
    class_names: &[String],
) -> Result<Vec<Evaluation>, EvalError> {
    let draws: Vec<_> = seeds.iter().map(|&seed| budget.draw(train.labels(), seed)).collect();
    over_folds(protocol, [train, test], &draws, class_names)
}

/// Evaluates `protocol` on each of `folds`, which are rows of the training set. With the ten of `Stl10::folds` it is
/// the official protocol of STL-10: 1,000 labels each, tested on the whole test set, mean and standard deviation
/// reported, which [`Spread`](crate::Spread) computes.
///
/// # Errors
///
/// [`EvalError::Fold`] for a row that does not exist, [`EvalError::NoDraws`] without a fold, and those of [`evaluate`].
pub fn over_folds(
    protocol: &dyn Protocol,
    [train, test]: [&LabelledFeatures; 2],
    folds: &[Vec<usize>],
    class_names: &[String],
) -> Result<Vec<Evaluation>, EvalError> {
    if folds.is_empty() {
        return Err(EvalError::NoDraws);
    }
    let images = train.len();
    let evaluation = |fold: &Vec<usize>| {
        if let Some(&row) = fold.iter().find(|&&row| row >= images) {
            return Err(EvalError::Fold { images, row });
        }
        evaluate(protocol, &train.select(fold), test, class_names)
    };
    folds.iter().map(evaluation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Spread;
    use crate::probe::{LogisticRegression, LogisticRegressionConfig};
    use simclr_embed::Features;

    fn line(images: usize) -> LabelledFeatures {
        let values = (0..images).map(|i| i as f32 / images as f32).collect();
        let labels = (0..images).map(|i| usize::from(2 * i >= images)).collect();
        LabelledFeatures::new(Features::new(values, 1), labels).unwrap()
    }

    #[test]
    fn more_labels_do_better_and_vary_less() {
        let (train, test) = (line(400), line(99));
        let config = LogisticRegressionConfig { c: 100.0, ..LogisticRegressionConfig::default() };
        let probe = LogisticRegression::new(config).unwrap();
        let curve = [1, 50].map(|count| {
            let budget = LabelBudget::per_class(count).unwrap();
            let seeds = [0, 1, 2, 3];
            Spread::new(&with_few_labels(&probe, [&train, &test], budget, &seeds, &[]).unwrap())
        });
        assert!(curve[0].mean() < curve[1].mean(), "{curve:?}");
        assert!(curve[0].standard_deviation() > curve[1].standard_deviation(), "{curve:?}");
        assert_eq!(curve[1].train_images, [100; 4]);
    }

    #[test]
    fn every_draw_has_the_layer_that_was_measured() {
        let (train, test) = (line(40), line(20));
        let budget = LabelBudget::per_class(3).unwrap();
        let probe = LogisticRegression::default();
        let evaluations = with_few_labels(&probe, [&train, &test], budget, &[5, 6], &[]).unwrap();
        for evaluation in evaluations {
            let layer = evaluation.layer.expect("a linear probe has one");
            assert_eq!(layer.predict(test.features()).unwrap(), evaluation.predictions);
        }
    }

    #[test]
    fn a_fold_must_name_training_images() {
        let (set, probe) = (line(10), LogisticRegression::default());
        let over = |folds: &[Vec<usize>]| {
            over_folds(&probe, [&set, &set], folds, &[]).unwrap_err().to_string()
        };
        assert_eq!(over(&[vec![0, 10]]), "expected rows below 10 in a fold, found 10");
        assert_eq!(over(&[]), "expected at least one draw of the training images, found none");
    }
}
