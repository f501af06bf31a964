//! The engine: config, trainer, loop and step. It trains on any examples.

pub(crate) mod batch_loss;
pub(crate) mod buffer_mean;
pub(crate) mod chunk_statistics;
pub(crate) mod contrastive_step;
pub(crate) mod device;
pub(crate) mod device_description;
mod epoch_figures;
mod epoch_progress;
pub(crate) mod loss_config;
mod opened_device;
mod opened_run;
pub(crate) mod precision;
#[cfg(feature = "remote")]
pub(crate) mod remote;
mod resuming;
pub(crate) mod step_figures;
mod telling;
pub(crate) mod train_config;
pub(crate) mod trained;
pub(crate) mod trainer;
pub(crate) mod training;
pub(crate) mod training_loop;
pub(crate) mod training_state;
pub(crate) mod training_step;
