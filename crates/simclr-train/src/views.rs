//! Views: their source, their order, and the steps of an epoch.

pub(crate) mod epoch_views;
pub(crate) mod labels;
mod order;
mod prefetch;
mod unreadable;
pub(crate) mod view_loader;
pub(crate) mod view_source;
