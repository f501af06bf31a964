//! A new number of epochs for a run that goes on.

use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::run::position::Position;

/// A new number of epochs, which a run got when it was resumed. Its `config.toml` keeps all of them, so that each step
/// has the same rate whenever it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochChange {
    /// Where the run stood.
    pub after: Position,
    /// The number of epochs until then.
    pub epochs_before: usize,
    /// Whether a new schedule began there, with a warm-up of its own. Otherwise the schedule was stretched: it is that
    /// of a run which had the new number of epochs from the start.
    #[serde(default)]
    pub restarts_schedule: bool,
}

/// The number of epochs that a resumed run is asked to have.
pub(crate) struct AskedEpochs {
    pub(crate) epochs: usize,
    pub(crate) restarts_schedule: bool,
}

impl AskedEpochs {
    /// The changes of a run that had `epochs_before` epochs and these `changes`, and stands at `position`. To ask for
    /// the same thing again changes nothing.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for fewer epochs than the run has begun, or for a new schedule without more epochs.
    pub(crate) fn changes(
        &self,
        mut changes: Vec<EpochChange>,
        epochs_before: usize,
        position: Position,
    ) -> Result<Vec<EpochChange>, OutOfRange> {
        let &Self { epochs, restarts_schedule } = self;
        let begun = position.epochs + usize::from(position.steps > 0);
        let expected = format!("at least {begun}, which the run has begun");
        OutOfRange::unless(epochs >= begun, "epochs", expected, epochs)?;
        let restarted = changes.last().is_some_and(|change| change.restarts_schedule);
        if epochs == epochs_before && (!restarts_schedule || restarted) {
            return Ok(changes);
        }
        let expected = format!("above {epochs_before}, the run's, for a new schedule");
        let adds = epochs > epochs_before;
        OutOfRange::unless(adds || !restarts_schedule, "epochs", expected, epochs)?;
        changes.push(EpochChange { after: position, epochs_before, restarts_schedule });
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(
        epochs: usize,
        restarts_schedule: bool,
        position: Position,
    ) -> Result<usize, String> {
        let before = EpochChange {
            after: Position::after_epoch(2),
            epochs_before: 2,
            restarts_schedule: true,
        };
        let asked = AskedEpochs { epochs, restarts_schedule };
        let changes = asked.changes(vec![before], 4, position);
        changes.map(|changes| changes.len()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_asked_for_again_changes_nothing() {
        let at = Position { epochs: 2, steps: 1 };
        assert_eq!(changes(4, true, at), Ok(1));
        assert_eq!(changes(4, false, at), Ok(1));
        assert_eq!(changes(6, false, at), Ok(2));
    }

    #[test]
    fn epochs_that_have_begun_cannot_be_taken_back() {
        let error = changes(2, false, Position { epochs: 2, steps: 1 }).unwrap_err();
        assert_eq!(error, "expected epochs to be at least 3, which the run has begun, found 2");
        assert_eq!(changes(3, false, Position { epochs: 2, steps: 1 }), Ok(2));
    }

    #[test]
    fn a_new_schedule_needs_epochs_of_its_own() {
        let error = changes(3, true, Position::after_epoch(2)).unwrap_err();
        assert_eq!(error, "expected epochs to be above 4, the run's, for a new schedule, found 3");
    }
}
