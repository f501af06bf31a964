//! Evaluation of an encoder while it trains.

use serde::{Deserialize, Serialize};
use simclr_eval::EvalError;

use crate::watch::feature_shape::FeatureShape;

/// Evaluates the encoder before the first epoch, and after those that [`MonitorEvery`](crate::MonitorEvery) names.
pub trait Monitor<E>: Send + Sync {
    /// Embeds the monitor's examples. The [`Observation`] keeps their features, so that several figures need one pass
    /// through the encoder.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the examples cannot be embedded.
    fn observe(&self, encoder: &E) -> Result<Box<dyn Observation>, EvalError>;
}

/// The evaluation of an encoder at one moment.
pub trait Observation {
    /// The share of held-out examples that a kNN vote of the labelled examples classifies correctly, in 0..=1; `None`
    /// without labels.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the vote is impossible, for example without labelled examples.
    fn knn_top1(&self) -> Result<Option<f64>, EvalError>;

    /// What was looked at, and what its features look like without labels; `None` if the monitor doesn't say.
    fn monitored(&self) -> Option<Monitored> {
        None
    }

    /// A linear layer on the frozen features; `None` if the monitor has no such probe. The trainer calls it once, after
    /// the last epoch.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the layer cannot be fitted; [`EvalError::Stopped`] if the run was told to stop meanwhile.
    fn linear_probe(&self) -> Result<Option<ProbeFigure>, EvalError> {
        Ok(None)
    }
}

/// What a monitor looked at, and the shape of the features that it saw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Monitored {
    /// Labelled training examples that voted; 0 without labels.
    pub train_images: usize,
    /// Held-out examples that were classified; without labels, the examples that were looked at.
    pub test_images: usize,
    /// The shape of the features of the latter; `None` if a feature is NaN or infinite, or there is none.
    pub shape: Option<FeatureShape>,
}

/// How well a linear layer on frozen features classifies, and how it learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeFigure {
    /// The share of held-out examples that it classifies correctly, in 0..=1.
    pub top1: f64,
    /// The solver with its settings and the number of examples, in words.
    pub protocol: String,
}
