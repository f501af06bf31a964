//! Contrastive training: views of each example in, a trained encoder out; with labels too, if there are any
//! ([`LossConfig::SupCon`]).
//!
//! A [`Trainer`] trains any encoder on any kind of example ([`ViewSource`]). [`Pretraining`] adds the encoder and the
//! views of images, and [`pretrain`] is SimCLR (Chen et al. 2020, algorithm 1) in one call.
//!
//! The way from an image to the loss, in the order things happen:
//!
//! 1. [`Pretraining::run`] makes network and views from the config, and hands them to the [`Trainer`];
//! 2. [`ViewLoader`] shuffles the images, and keeps a few chunks of views ready;
//! 3. [`ImageViews`] draws and computes the views of each image (`simclr-augment`);
//! 4. the step encodes and projects both views (`simclr-model`) and contrasts them (`simclr-loss`), as one batch or in
//!    chunks, on one device or several;
//! 5. the training loop steps the optimiser at the rate of [`WarmupCosine`]; after each epoch it asks the [`Monitor`]
//!    and saves a checkpoint.
//!
//! An *epoch* is a number of steps; a *pass* goes once through the data set. They coincide unless
//! [`TrainConfig::steps_per_epoch`] says otherwise.
//!
//! Dashboard and interruption are burn-train's. The same config and images give the same encoder on the same backend,
//! whatever the number of threads.
//!
//! # Where to go next
//!
//! - Guide: [training](https://docs.rs/crate/simclr/latest/source/docs/training.md); [text, sound,
//!   tables](https://docs.rs/crate/simclr/latest/source/docs/other-data.md).
//! - Example: [`stl10_pretrain`](https://docs.rs/crate/simclr/latest/source/examples/stl10_pretrain/main.rs) and
//!   [`signal_pretrain`](https://docs.rs/crate/simclr/latest/source/examples/signal_pretrain/main.rs) are whole runs.
//! - Beside it: [`simclr-augment`](simclr_augment) makes the views, [`simclr-model`](simclr_model) the networks,
//!   [`simclr-loss`](simclr_loss) the losses, [`simclr-eval`](simclr_eval) the figures,
//!   [`simclr-report`](https://docs.rs/simclr-report) a page about a run, and [`simclr`](https://docs.rs/simclr) is all
//!   of it under one roof.

mod engine;
mod error;
mod images;
mod optim;
mod rate;
mod run;
mod views;
mod watch;

pub use engine::chunk_statistics::ChunkStatistics;
pub use engine::device::{device_from_name, device_name};
pub use engine::device_description::DeviceDescription;
pub use engine::loss_config::LossConfig;
pub use engine::precision::Precision;
#[cfg(feature = "remote")]
pub use engine::remote::{DeviceServer, REMOTE_TOKEN};
pub use engine::train_config::TrainConfig;
pub use engine::trained::Trained;
pub use engine::trainer::Trainer;
pub use engine::training_step::TrainingStep;
pub use error::TrainError;
pub use images::decoding::Decoding;
pub use images::growing_views::GrowingViews;
pub use images::image_config::ImageConfig;
pub use images::image_monitor::ImageMonitor;
pub use images::image_views::{ImageViews, ViewPath};
pub use images::local_views::LocalViews;
pub use images::pretrain_config::PretrainConfig;
pub use images::pretraining::{Pretraining, pretrain};
pub use images::recipe::Recipe;
pub use images::run_description::RunDescription;
pub use optim::decay_scope::DecayScope;
pub use optim::lars::{Lars, LarsState};
pub use optim::optimizer::OptimizerConfig;
pub use rate::learning_rate::{LearningRate, LearningRateScaling};
pub use rate::learning_rate_curve::{LearningRateCurve, TriedRate};
pub use rate::range_test::RangeTest;
pub use rate::rate_change::RateChange;
pub use run::data_checksum::DataChecksum;
pub use run::epoch_change::EpochChange;
pub use run::first_weights::{FirstWeights, PublishedAs};
#[cfg(fuzzing)]
pub use run::fuzzed_checkpoint::fuzzed_checkpoint;
pub use run::image_source::ImageSource;
pub use run::position::Position;
pub use run::run_config::{MadeWith, RunConfig};
pub use run::run_directory::RunDirectory;
pub use run::run_overview::{RunOverview, RunState, differing_settings};
pub use run::runs_below::RunsBelow;
pub use run::same_run::RESUMABLE_SETTINGS;
pub use run::settings_by_path::settings_by_path;
pub use run::summary::Summary;
pub use simclr_eval::WarmupCosine;
/// The error for a value out of range, the same in every crate.
pub use simclr_range::OutOfRange;
pub use views::epoch_views::{EpochViews, StepViews};
pub use views::view_loader::{StepLayout, ViewLoader};
pub use views::view_source::{LabelledViews, Skipped, ViewBatch, ViewSource, Views};
pub use watch::feature_shape::FeatureShape;
pub use watch::metrics_line::MetricsLine;
pub use watch::metrics_log::read_metrics;
pub use watch::monitor::{Monitor, Monitored, Observation, ProbeFigure};
pub use watch::monitor_every::MonitorEvery;
pub use watch::observed::MonitorFigures;
pub use watch::progress::Progress;
pub use watch::representation::Representation;
pub use watch::terminal::restore_terminal;

/// The README's code is tested with the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
