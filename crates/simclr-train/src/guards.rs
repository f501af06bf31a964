//! What is said when training goes wrong.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use simclr_model::{Encoder, SimClr};

use crate::error::TrainError;
use crate::representation::Representation;
use crate::step_figures::StepFigures;

/// How near to ln(2n - 1) a loss is that tells no image from another.
const PINNED: f64 = 0.005;
/// Projections in less than this many directions are about to become one point.
const FEWEST_DIRECTIONS: f64 = 1.5;

/// A warning in plain words if every image is becoming the same to the network.
///
/// ln(2n - 1) is NT-Xent's value where all embeddings are alike.
pub(crate) fn collapse(
    mean_loss: f64,
    examples: usize,
    representation: Option<&Representation>,
) -> Option<String> {
    let advice = "a lower learning rate, a longer warm-up or a larger batch may help";
    let rank = representation.map_or(f64::INFINITY, |found| found.effective_rank_z);
    if rank < FEWEST_DIRECTIONS {
        return Some(format!(
            "the representation is collapsing: the projections of a batch have an effective rank of {rank:.2}, \
             where 1 means that all images look the same to the network; {advice}"
        ));
    }
    let chance = (2.0 * examples as f64 - 1.0).ln();
    ((mean_loss / chance - 1.0).abs() < PINNED).then(|| {
        format!(
            "nothing is learnt: the loss stays at {mean_loss:.4}, which is ln(2n - 1), as if partners were \
             guessed; {advice}"
        )
    })
}

/// Why a loss is no number any more, as far as the parameters tell.
pub(crate) fn divergence<E: Encoder>(figures: &StepFigures, model: &SimClr<E>) -> TrainError {
    let mut survey = Survey::default();
    model.visit(&mut survey);
    let state = if survey.broken == 0 {
        format!("all parameters are finite, the largest is {:.1e}", survey.largest)
    } else {
        format!("{} of {} parameters are not finite", survey.broken, survey.parameters)
    };
    TrainError::Diverged {
        epoch: figures.epoch,
        step: figures.step,
        found: figures.loss,
        learning_rate: figures.learning_rate,
        state,
    }
}

#[derive(Default)]
struct Survey {
    parameters: usize,
    broken: usize,
    largest: f64,
}

impl ModuleVisitor for Survey {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters += 1;
        let largest = param.val().detach().abs().max().into_scalar::<f64>();
        // The maximum of some backends passes over NaN; a sum never does.
        let sum = param.val().detach().sum().into_scalar::<f64>();
        if largest.is_finite() && sum.is_finite() {
            self.largest = self.largest.max(largest);
        } else {
            self.broken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_at_chance_and_a_rank_of_one_are_told() {
        let chance = 63_f64.ln();
        assert!(collapse(chance, 32, None).unwrap().starts_with("nothing is learnt"));
        assert_eq!(collapse(0.9 * chance, 32, None), None);
        let flat = serde_json::json!({"alignment": 0.0, "uniformity": 0.0, "effective_rank_h": 3.0,
            "effective_rank_z": 1.1, "standard_deviation": 0.0});
        let flat: Representation = serde_json::from_value(flat).unwrap();
        assert!(
            collapse(0.9 * chance, 32, Some(&flat)).unwrap().contains("effective rank of 1.10")
        );
    }
}
