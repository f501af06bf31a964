//! Watching an encoder learn.

use simclr_eval::EvalError;

/// Judges the encoder before the first epoch and after each.
pub trait Monitor<E>: Send + Sync {
    /// Embeds the monitor's examples: whatever is asked afterwards is asked about these features, so that each set
    /// goes through the encoder once.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the examples cannot be embedded.
    fn observe(&self, encoder: &E) -> Result<Box<dyn Observation>, EvalError>;
}

/// What a [`Monitor`] saw of an encoder at one moment.
pub trait Observation {
    /// The share of held-out examples whose class their labelled neighbours name, in 0..=1.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if there is nothing to compare.
    fn knn_top1(&self) -> Result<f64, EvalError>;

    /// The share of held-out examples whose class a linear layer on the frozen features names, in 0..=1; `None` from
    /// a monitor that has no such probe. Asked once, when the run has ended.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the layer cannot be fitted.
    fn linear_probe(&self) -> Result<Option<f64>, EvalError> {
        Ok(None)
    }
}
