//! Where a run stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands between two steps: the epochs that are behind it, and the steps of the next one.
///
/// ```
/// use simclr_train::Position;
///
/// assert_eq!(Position { epochs: 3, steps: 0 }.to_string(), "epoch 3");
/// assert_eq!(Position { epochs: 3, steps: 7 }.to_string(), "step 7 of epoch 4");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Completed epochs. The last step of an epoch alone doesn't complete it: its evaluation and its checkpoint do.
    pub epochs: usize,
    /// Steps of the epoch after those.
    #[serde(default)]
    pub steps: usize,
}

impl Position {
    /// Before the first step.
    pub(crate) const START: Self = Self { epochs: 0, steps: 0 };

    /// After epoch `epochs`.
    pub(crate) fn after_epoch(epochs: usize) -> Self {
        Self { epochs, steps: 0 }
    }

    /// The number of steps before this position.
    pub(crate) fn step(self, steps_per_epoch: usize) -> usize {
        self.epochs * steps_per_epoch + self.steps
    }
}

/// What was done last: `epoch 3`, or `step 7 of epoch 4`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps {
            0 => write!(f, "epoch {}", self.epochs),
            steps => write!(f, "step {steps} of epoch {}", self.epochs + 1),
        }
    }
}

/// What is left of a run, in words.
pub(crate) fn saved(checkpoint: Option<Position>) -> String {
    match checkpoint {
        Some(position) => format!("the checkpoint of {position} is kept, resume from it"),
        None => "there is no checkpoint yet".to_owned(),
    }
}
