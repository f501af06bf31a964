//! A run, as its folder tells it: settings, end and log.

mod curves;
mod device_name;
mod facts;
mod log;
mod settings;

pub(crate) use curves::Curves;
pub(crate) use facts::RunFacts;
