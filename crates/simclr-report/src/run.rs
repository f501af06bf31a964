//! A run, as its folder tells it: settings, end and log.

mod curves;
mod facts;
mod log;
mod run_files;
mod settings;

pub(crate) use curves::Curves;
pub(crate) use facts::RunFacts;
pub(crate) use run_files::RunFiles;
