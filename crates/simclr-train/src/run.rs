//! The folder of a run.

pub(crate) mod checkpoint;
pub(crate) mod data_checksum;
pub(crate) mod device_change;
pub(crate) mod epoch_change;
pub(crate) mod first_weights;
pub(crate) mod image_source;
pub(crate) mod position;
pub(crate) mod run_config;
pub(crate) mod run_directory;
pub(crate) mod same_run;
pub(crate) mod summary;
