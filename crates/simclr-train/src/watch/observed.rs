//! What a monitor saw, and the time that it took.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use simclr_eval::EvalError;

use crate::watch::monitor::{Monitor, Monitored, Observation};

/// An observation with its figures.
pub(crate) struct Observed {
    pub(crate) observation: Box<dyn Observation>,
    pub(crate) knn_top1: Option<f64>,
    pub(crate) figures: MonitorFigures,
}

/// What a monitor looked at and saw without labels, and the time that it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MonitorFigures {
    /// The time that embedding the examples and computing the figures took, in seconds.
    pub seconds: f64,
    /// `None` for a monitor of one's own that doesn't say.
    #[serde(flatten)]
    pub monitored: Option<Monitored>,
}

impl Observed {
    /// Asks the monitor about an encoder; `None` if it is told to stop before the figures are known.
    pub(crate) fn by<E>(
        monitor: &dyn Monitor<E>,
        encoder: &E,
        told_to_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, EvalError> {
        let started = Instant::now();
        let observation = monitor.observe(encoder)?;
        if told_to_stop() {
            return Ok(None);
        }
        let knn_top1 = observation.knn_top1()?;
        let monitored = observation.monitored();
        let seconds = started.elapsed().as_secs_f64();
        let figures = MonitorFigures { seconds, monitored };
        Ok(Some(Self { observation, knn_top1, figures }))
    }
}
