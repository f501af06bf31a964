//! A run under observation: monitor, figures, warnings, log and progress.

mod ctrl_c;
pub(crate) mod dashboard;
pub(crate) mod feature_shape;
pub(crate) mod guards;
pub(crate) mod metrics_line;
pub(crate) mod metrics_log;
pub(crate) mod monitor;
pub(crate) mod monitor_every;
pub(crate) mod observed;
pub(crate) mod plateau;
pub(crate) mod progress;
pub(crate) mod representation;
mod tensorboard;
pub(crate) mod terminal;
mod thinned;
