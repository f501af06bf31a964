//! What is said when training goes wrong.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use simclr_model::{Encoder, SimClr};

use crate::engine::step_figures::StepFigures;
use crate::error::TrainError;
use crate::watch::representation::Representation;

/// How near to the chance level a loss is that tells no image from another.
const PINNED: f64 = 0.005;
/// A new network often stays at the chance level for an epoch before it starts to learn; this many in a row, after
/// the warm-up, are worth a warning.
pub(crate) const EPOCHS_AT_CHANCE_LEVEL: usize = 3;
/// Projections in less than this many directions are about to become one point.
const FEWEST_DIRECTIONS: f64 = 1.5;

const ADVICE: &str = "a lower learning rate, a longer warm-up or a larger batch may help";

/// A warning in plain words if every image is becoming the same to the network.
pub(crate) fn collapse(representation: &Representation) -> Option<String> {
    let rank = representation.effective_rank_z;
    (rank < FEWEST_DIRECTIONS).then(|| {
        format!(
            "the representation is collapsing: the projections of a batch have an effective rank of {rank:.2}, \
             where 1 means that all images look the same to the network; {ADVICE}"
        )
    })
}

/// Whether a mean loss is that of projections which are all alike, for NT-Xent ln(2n - 1).
pub(crate) fn is_at_chance_level(mean_loss: f64, chance_level: f64) -> bool {
    (mean_loss / chance_level - 1.0).abs() < PINNED
}

/// The warning after some epochs at the chance level.
pub(crate) fn nothing_learnt(mean_loss: f64, epochs: usize) -> String {
    format!(
        "nothing has been learnt for {epochs} epochs: the loss stays at {mean_loss:.4}, its chance level, \
         as if partners were guessed; {ADVICE}"
    )
}

/// Why a loss is NaN or infinite, as far as the parameters tell.
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
    fn a_loss_at_the_chance_level_is_told_from_one_below_it() {
        let chance = 63_f64.ln();
        assert!(is_at_chance_level(chance + 1e-3, chance));
        assert!(!is_at_chance_level(0.9 * chance, chance));
    }

    #[test]
    fn an_effective_rank_of_one_is_a_collapse() {
        let with_rank = |rank: f64| -> Representation {
            let value = serde_json::json!({"alignment": 0.0, "uniformity": 0.0,
                "effective_rank_h": 3.0, "effective_rank_z": rank, "standard_deviation": 0.0});
            serde_json::from_value(value).unwrap()
        };
        assert!(collapse(&with_rank(1.1)).unwrap().contains("effective rank of 1.10"));
        assert_eq!(collapse(&with_rank(5.0)), None);
    }
}
