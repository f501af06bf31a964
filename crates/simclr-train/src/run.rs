//! The folder of a run.

pub(crate) mod bounded_text;
pub(crate) mod checkpoint;
pub(crate) mod data_checksum;
pub(crate) mod device_change;
pub(crate) mod epoch_change;
pub(crate) mod first_weights;
#[cfg(fuzzing)]
pub(crate) mod fuzzed_checkpoint;
pub(crate) mod image_source;
pub(crate) mod position;
pub(crate) mod run_config;
pub(crate) mod run_directory;
pub(crate) mod run_lock;
pub(crate) mod run_overview;
pub(crate) mod runs_below;
pub(crate) mod same_run;
pub(crate) mod settings_by_path;
pub(crate) mod summary;
