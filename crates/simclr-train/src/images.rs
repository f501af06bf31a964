//! Training on images: network, views, monitor and recipes.

mod beginning;
pub(crate) mod decoding;
pub(crate) mod growing_views;
pub(crate) mod image_config;
pub(crate) mod image_monitor;
pub(crate) mod image_views;
pub(crate) mod local_views;
mod new_run;
pub(crate) mod pretrain_config;
pub(crate) mod pretraining;
mod rates;
pub(crate) mod recipe;
pub(crate) mod run_description;
mod stoppable;
