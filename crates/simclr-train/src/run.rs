//! The folder of a run.

pub(crate) mod checkpoint;
pub(crate) mod run_config;
pub(crate) mod run_directory;
pub(crate) mod summary;
