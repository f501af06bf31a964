//! The learning rate of a run, changes of its length included.

use simclr_eval::WarmupCosine;

use crate::engine::train_config::TrainConfig;
use crate::run::epoch_change::EpochChange;

/// The learning rate of each step of a run: one [`WarmupCosine`], or one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunSchedule {
    stages: Vec<Stage>,
}

#[derive(Debug, Clone, PartialEq)]
struct Stage {
    /// The first step of this stage, counted from 0.
    first_step: usize,
    /// The step at which the schedule begins.
    start: usize,
    schedule: WarmupCosine,
}

impl RunSchedule {
    /// The schedule of a run of `config`, which had other numbers of epochs before `changes`.
    pub(crate) fn new(
        config: &TrainConfig,
        steps_per_epoch: usize,
        changes: &[EpochChange],
    ) -> Self {
        let peak = config.learning_rate.peak(config.batch_size);
        let warmup = config.warmup_epochs * steps_per_epoch;
        let lengths = changes.iter().map(|change| change.epochs_before).chain([config.epochs]);
        let mut start = 0;
        let mut stages = Vec::new();
        for (number, epochs) in lengths.enumerate() {
            let change = number.checked_sub(1).map(|before| changes[before]);
            let first_step = change.map_or(0, |change| change.after.step(steps_per_epoch));
            if change.is_some_and(|change| change.restarts_schedule) {
                start = first_step;
            }
            let steps = (epochs * steps_per_epoch).saturating_sub(start);
            let schedule = WarmupCosine::new(peak, warmup, steps);
            stages.push(Stage { first_step, start, schedule });
        }
        Self { stages }
    }

    /// The rate of step `step`, counted from 0 at the beginning of the run.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        let stage = self.stages.iter().rfind(|stage| stage.first_step <= step);
        stage.map_or(0.0, |stage| stage.schedule.rate(step - stage.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::learning_rate::LearningRate;
    use crate::run::position::Position;

    const STEPS: usize = 10;

    fn config(epochs: usize) -> TrainConfig {
        let learning_rate = LearningRate::unscaled(1.0);
        TrainConfig { epochs, warmup_epochs: 1, learning_rate, ..TrainConfig::small() }
    }

    fn rates(schedule: &RunSchedule, steps: usize) -> Vec<f64> {
        (0..steps).map(|step| schedule.rate(step)).collect()
    }

    fn change(after: usize, epochs_before: usize, restarts_schedule: bool) -> EpochChange {
        EpochChange { after: Position::after_epoch(after), epochs_before, restarts_schedule }
    }

    #[test]
    fn a_stretched_schedule_is_that_of_the_longer_run_from_the_change_on() {
        let short = rates(&RunSchedule::new(&config(4), STEPS, &[]), 40);
        let long = rates(&RunSchedule::new(&config(8), STEPS, &[]), 80);
        let stretched = RunSchedule::new(&config(8), STEPS, &[change(3, 4, false)]);
        let expected = [&short[..30], &long[30..]].concat();
        assert_eq!(rates(&stretched, 80), expected);
        assert!(expected[30] > expected[29], "the rate jumps up");
    }

    #[test]
    fn a_restarted_schedule_warms_up_again_and_ends_with_the_run() {
        let first = rates(&RunSchedule::new(&config(4), STEPS, &[]), 40);
        let restarted = RunSchedule::new(&config(10), STEPS, &[change(4, 4, true)]);
        let second = rates(&RunSchedule::new(&config(6), STEPS, &[]), 60);
        assert_eq!(rates(&restarted, 100), [first, second].concat());
        assert_eq!((restarted.rate(40), restarted.rate(50)), (0.0, 1.0));
    }

    #[test]
    fn a_stretched_run_that_had_been_restarted_keeps_its_new_beginning() {
        let changes = [change(4, 4, true), change(6, 8, false)];
        let schedule = RunSchedule::new(&config(10), STEPS, &changes);
        let from_four = RunSchedule::new(&config(6), STEPS, &[]);
        assert_eq!(rates(&schedule, 100)[60..], rates(&from_four, 60)[20..]);
    }

    #[test]
    fn a_schedule_may_change_within_an_epoch() {
        let after = Position { epochs: 1, steps: 5 };
        let change = EpochChange { after, epochs_before: 2, restarts_schedule: true };
        let schedule = RunSchedule::new(&config(4), STEPS, &[change]);
        assert_eq!((schedule.rate(15), schedule.rate(25)), (0.0, 1.0));
        assert!(schedule.rate(39) < 0.02 && schedule.rate(14) > 0.4);
    }
}
