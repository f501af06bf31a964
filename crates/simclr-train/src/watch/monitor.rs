//! Evaluation of an encoder while it trains.

use simclr_eval::EvalError;

/// Evaluates the encoder before the first epoch and after each.
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
    /// The share of held-out examples that a kNN vote of the labelled examples classifies correctly, in 0..=1.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the vote is impossible, for example without labelled examples.
    fn knn_top1(&self) -> Result<f64, EvalError>;

    /// The share of held-out examples that a linear layer on the frozen features classifies correctly, in 0..=1; `None`
    /// if the monitor has no such probe. The trainer calls it once, after the last epoch.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the layer cannot be fitted.
    fn linear_probe(&self) -> Result<Option<f64>, EvalError> {
        Ok(None)
    }
}
