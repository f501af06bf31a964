//! From a source of views to the batches of an epoch.

pub(crate) mod epoch_views;
mod order;
pub(crate) mod view_loader;
pub(crate) mod view_source;
