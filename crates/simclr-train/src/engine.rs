//! The engine: config, trainer, loop and step. It trains on any examples.

pub(crate) mod batch_loss;
pub(crate) mod chunk_statistics;
pub(crate) mod contrastive_step;
pub(crate) mod device;
pub(crate) mod device_description;
mod device_share;
mod device_shares;
mod device_worker;
mod encoded_chunks;
mod epoch_figures;
mod epoch_progress;
pub(crate) mod loss_config;
pub(crate) mod loss_scale;
mod opened_device;
mod opened_run;
mod packed;
pub(crate) mod precision;
#[cfg(feature = "remote")]
pub(crate) mod remote;
mod resuming;
mod running_statistics;
pub(crate) mod step_figures;
mod telling;
pub(crate) mod train_config;
pub(crate) mod trained;
pub(crate) mod trainer;
pub(crate) mod training;
pub(crate) mod training_loop;
pub(crate) mod training_state;
pub(crate) mod training_step;
