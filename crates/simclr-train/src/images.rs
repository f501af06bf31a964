//! Training on images: network, views, monitor and recipes.

pub(crate) mod image_config;
pub(crate) mod image_monitor;
pub(crate) mod image_source;
pub(crate) mod image_views;
pub(crate) mod pretrain_config;
pub(crate) mod pretraining;
mod pretraining_rate;
pub(crate) mod recipe;
pub(crate) mod run_description;
mod stoppable;
