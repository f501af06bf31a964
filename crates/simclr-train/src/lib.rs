//! Contrastive pretraining: unlabelled images in, a trained encoder out.
//!
//! [`pretrain`] is the whole of SimCLR (Chen et al. 2020, algorithm 1): draw two views of each image
//! of a batch, project both through the encoder and its head, and take a step that makes partners
//! alike. [`Pretraining`] is the same with a run directory, resuming and stopping.
//!
//! The way from an image to the loss, in the order things happen:
//!
//! 1. [`Pretraining::run`] puts the pieces together;
//! 2. [`ImageViews`] draws and makes two views of each image (`simclr-augment`);
//! 3. [`ViewLoader`] shuffles, and keeps a few chunks of views ready;
//! 4. the step encodes and projects both views (`simclr-model`), and contrasts them (`simclr-loss`): as
//!    one batch, or chunk by chunk on any number of devices;
//! 5. the training loop steps the optimiser on [`WarmupCosine`]'s rate, asks the [`Monitor`] after each
//!    epoch, and saves a checkpoint.
//!
//! The dashboard and the interruption are burn-train's. The same config and images give the same encoder
//! on the same backend, whatever the number of threads.

mod buffers;
mod checkpoint;
mod contrastive_step;
mod ctrl_c;
mod dashboard;
mod decay_scope;
mod device;
mod error;
mod guards;
mod image_views;
mod lars;
mod learning_rate;
mod learning_rate_curve;
mod learning_rate_plot;
mod loss_config;
mod metrics_log;
mod monitor;
mod optimizer;
mod precision;
mod pretrain_config;
mod pretrained;
mod pretraining;
mod progress;
mod range_test;
mod recipe;
#[cfg(feature = "remote")]
mod remote;
mod representation;
mod run_description;
mod run_directory;
mod step_figures;
mod summary;
mod tensorboard;
mod training_loop;
mod training_state;
mod two_views;
mod view_loader;

pub use decay_scope::DecayScope;
pub use device::device_from_name;
pub use error::TrainError;
pub use image_views::{ImageViews, ViewPath};
pub use lars::{Lars, LarsState};
pub use learning_rate::{LearningRate, LearningRateScaling};
pub use learning_rate_curve::{LearningRateCurve, TriedRate};
pub use loss_config::LossConfig;
pub use metrics_log::{MetricsLine, read_metrics};
pub use monitor::{ImageMonitor, Monitor};
pub use optimizer::OptimizerConfig;
pub use precision::Precision;
pub use pretrain_config::{ChunkStatistics, PretrainConfig};
pub use pretrained::Pretrained;
pub use pretraining::{Pretraining, pretrain};
pub use progress::Progress;
pub use range_test::RangeTest;
pub use recipe::Recipe;
#[cfg(feature = "remote")]
pub use remote::{DeviceServer, REMOTE_TOKEN};
pub use representation::Representation;
pub use run_description::RunDescription;
pub use run_directory::{MadeWith, RunConfig, RunDirectory};
pub use simclr_eval::WarmupCosine;
pub use summary::Summary;
pub use two_views::{Skipped, TwoViews, ViewBatch, ViewSource};
pub use view_loader::{EpochViews, StepLayout, StepViews, ViewLoader};
