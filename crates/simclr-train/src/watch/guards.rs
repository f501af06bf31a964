//! Warnings and diagnoses of training that goes wrong.

use burn::module::Module;
use burn::tensor::Tensor;
use simclr_model::{Encoder, ModuleTensor, SimClr, module_tensors};

use crate::engine::step_figures::StepFigures;
use crate::error::TrainError;
use crate::watch::representation::Representation;

/// A loss this near to the chance level, as a share of it, counts as being at it.
const PINNED: f64 = 0.005;
/// Epochs in a row at the chance level, after the warm-up, that call for a warning. A new network often stays there for
/// one epoch.
pub(crate) const EPOCHS_AT_CHANCE_LEVEL: usize = 3;
/// An effective rank of the projections below this is a collapse.
const FEWEST_DIRECTIONS: f64 = 1.5;

const ADVICE: &str = "a lower learning rate, a longer warm-up or a larger batch may help";

/// A warning if the projections of all examples are becoming alike.
pub(crate) fn collapse(representation: &Representation) -> Option<String> {
    let rank = representation.effective_rank_z;
    (rank < FEWEST_DIRECTIONS).then(|| {
        format!(
            "the representation is collapsing: the projections of a batch have an effective rank of {rank:.2}, \
             where 1 means that all examples look the same to the network; {ADVICE}"
        )
    })
}

/// Whether a mean loss is at the chance level, which is ln(2n - 1) for NT-Xent and for `SupCon`.
pub(crate) fn is_at_chance_level(mean_loss: f64, chance_level: f64) -> bool {
    (mean_loss / chance_level - 1.0).abs() < PINNED
}

/// The warning after some epochs at the chance level.
pub(crate) fn nothing_learnt(mean_loss: f64, epochs: usize) -> String {
    format!(
        "nothing has been learnt for {epochs} epochs: the loss stays at {mean_loss:.4}, its chance level, \
         as if all views were alike; {ADVICE}"
    )
}

/// The warning after an epoch in which steps overflowed in f16.
pub(crate) fn skipped_steps(overflowed: usize, steps: usize) -> String {
    format!(
        "{overflowed} of {steps} steps were skipped, as their gradients overflowed in f16; a few are usual while the \
         loss scale falls to where they fit"
    )
}

/// The error for a step that overflowed in f16 at the smallest loss scale.
pub(crate) fn overflow(figures: &StepFigures) -> TrainError {
    let StepFigures { epoch, step, learning_rate, .. } = *figures;
    TrainError::Overflow { epoch, step, learning_rate }
}

/// The error for a loss that is NaN or infinite. It says whether the parameters still are finite.
pub(crate) fn divergence<E: Encoder>(figures: &StepFigures, model: &SimClr<E>) -> TrainError {
    TrainError::Diverged {
        epoch: figures.epoch,
        step: figures.step,
        found: figures.loss,
        learning_rate: figures.learning_rate,
        state: parameters_in_words(model),
    }
}

fn parameters_in_words(model: &impl Module) -> String {
    let parameters = module_tensors(model);
    let broken = not_finite(&parameters).len();
    if broken > 0 {
        return format!("{broken} of {} parameters are not finite", parameters.len());
    }
    let greatest = |parameter: &ModuleTensor| parameter.values().abs().max().into_scalar::<f64>();
    let largest = parameters.iter().map(greatest).fold(0.0, f64::max);
    format!("all parameters are finite, the largest is {largest:.1e}")
}

/// The names of those of `tensors` that hold a NaN or an infinity. It waits for the device.
pub(crate) fn not_finite(tensors: &[ModuleTensor]) -> Vec<String> {
    // A sum is finite only if all are; values that are, and whose sum is not, are no weights of a network.
    let sums = tensors.iter().map(|tensor| tensor.values().without_autodiff().sum());
    let sums: Vec<Tensor<1>> = sums.collect();
    if sums.is_empty() {
        return Vec::new();
    }
    let sums = Tensor::cat(sums, 0).to_data_as::<f64>();
    let broken = tensors.iter().zip(sums.iter::<f64>()).filter(|(_, sum)| !sum.is_finite());
    broken.map(|(tensor, _)| tensor.name()).collect()
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
