//! How a run goes on.

use std::path::Path;

use crate::engine::trainer::Trainer;

impl Trainer {
    /// Continues the run in `path` after its last checkpoint, as if it had not been stopped; a run that has none yet
    /// begins. Config, subject and data must be the run's own; only the [`RESUMABLE_SETTINGS`](crate::RESUMABLE_SETTINGS), such as `epochs`, may change. If a checkpoint
    /// is damaged, the trainer warns and takes the one before it.
    ///
    /// With another number of epochs, the schedule is that of a run which had them from the start, so that the rate jumps:
    /// [`rate_change`](Self::rate_change) says how. The run's `config.toml` keeps the change.
    #[must_use]
    pub fn with_resumed(self, path: impl AsRef<Path>) -> Self {
        Self { directory: Some(path.as_ref().to_owned()), resumes: true, ..self }
    }

    /// Begins a new schedule, with a warm-up of its own, for the epochs that a [resumed](Self::with_resumed) run gets
    /// beyond its own. It is the schedule of a run of what is left to train.
    #[must_use]
    pub fn with_restarted_schedule(self) -> Self {
        Self { restarts_schedule: true, ..self }
    }

    /// Lets a [resumed](Self::with_resumed) run go on with examples that are not its own. From then on they are.
    #[must_use]
    pub fn with_other_data_accepted(self) -> Self {
        Self { accepts_other_data: true, ..self }
    }
}
