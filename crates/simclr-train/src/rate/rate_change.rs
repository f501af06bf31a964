//! What becomes of the learning rate when a run gets another number of epochs.

use std::fmt;

use crate::engine::train_config::TrainConfig;
use crate::rate::run_schedule::RunSchedule;
use crate::run::epoch_change::EpochChange;

/// What becomes of the learning rate when a resumed run has another number of epochs. Its `Display` is a line for people.
///
/// [`Trainer::rate_change`](crate::Trainer::rate_change) makes it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RateChange {
    /// The change.
    pub change: EpochChange,
    /// The new number of epochs.
    pub epochs: usize,
    /// The rate of the last step before it.
    pub last: f64,
    /// The rate of the first step after it.
    pub next: f64,
    /// The highest rate after it, and how many steps later.
    pub highest: (f64, usize),
}

impl RateChange {
    /// The last of `changes`, if `config` trains on after it.
    pub(crate) fn new(
        config: &TrainConfig,
        steps_per_epoch: usize,
        changes: &[EpochChange],
    ) -> Option<Self> {
        let change = *changes.last()?;
        let first = change.after.step(steps_per_epoch);
        let last = first.checked_sub(1)?;
        let schedule = RunSchedule::new(config, steps_per_epoch, changes);
        let later = (first..config.epochs * steps_per_epoch).map(|step| schedule.rate(step));
        let highest = later.enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let highest = highest.map(|(steps, rate)| (rate, steps))?;
        let (last, next) = (schedule.rate(last), schedule.rate(first));
        Some(Self { change, epochs: config.epochs, last, next, highest })
    }
}

impl fmt::Display for RateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, epochs, last, next, highest: (highest, steps) } = self;
        let EpochChange { after, epochs_before, restarts_schedule } = change;
        let what = if *restarts_schedule {
            format!("a new schedule after {after}, to the end of epoch {epochs}")
        } else {
            format!("one schedule over {epochs} epochs instead of {epochs_before}")
        };
        write!(f, "{what}: the rate goes from {last:.2e} after {after} to {next:.2e}")?;
        if *steps > 0 {
            write!(f, ", to {highest:.2e} in {steps} steps of warm-up")?;
        }
        f.write_str(", and then down to 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::learning_rate::LearningRate;
    use crate::run::position::Position;

    fn line(epochs: usize, restarts_schedule: bool) -> String {
        let learning_rate = LearningRate::unscaled(1.0);
        let config =
            TrainConfig { epochs, warmup_epochs: 1, learning_rate, ..TrainConfig::small() };
        let after = Position::after_epoch(4);
        let change = EpochChange { after, epochs_before: 4, restarts_schedule };
        RateChange::new(&config, 10, &[change]).unwrap().to_string()
    }

    #[test]
    fn more_epochs_say_from_which_rate_to_which_the_schedule_jumps() {
        assert_eq!(
            line(8, false),
            "one schedule over 8 epochs instead of 4: the rate goes from 2.74e-3 after epoch 4 to 6.11e-1, and then down \
             to 0"
        );
        assert_eq!(
            line(8, true),
            "a new schedule after epoch 4, to the end of epoch 8: the rate goes from 2.74e-3 after epoch 4 to 0.00e0, to \
             1.00e0 in 10 steps of warm-up, and then down to 0"
        );
    }
}
