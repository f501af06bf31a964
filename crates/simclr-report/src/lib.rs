//! One page that shows what a pretraining run has learnt.
//!
//! [`RunReport`] looks at a run's folder and its images, and [`write`](RunReport::write)s a page of HTML with everything
//! in it. The page needs no network and no file beside it, so it can be mailed, archived and opened in ten years.
//!
//! From top to bottom the page answers:
//!
//! 1. what was trained, and what came of it: the settings, and top-1 before and after;
//! 2. how good the features are: kNN and a linear probe beside raw pixels and random weights;
//! 3. how training went: loss, contrastive accuracy, kNN, effective rank, learning rate and speed over the epochs;
//! 4. what the encoder saw: images beside the views that the run drew of them;
//! 5. what it makes of images that it has never seen: a map by PCA and t-SNE, and the nearest neighbours of some test
//!    images;
//! 6. where it is wrong: figures per class, and which class is taken for which, with examples.
//!
//! Without labels there are no figures. Curves, views, map and neighbours need none.
//!
//! [`learning_rate_plot`] draws the curve of a learning-rate range test into an SVG of its own.
//!
//! # Hostile names
//!
//! Names of files and classes are other people's text. A type of their own escapes them, the page's policy allows no
//! script but its own and no connection at all, and the script sets text and never markup.
//!
//! # The same page again
//!
//! The page holds no date, and [`ReportConfig::seed`] makes its only random choices: the same run, images and seed make
//! the same bytes on the same backend, for any number of threads.
//!
//! # Where to go next
//!
//! - Guide: [training](https://docs.rs/crate/simclr/latest/source/docs/training.md);
//!   [evaluation](https://docs.rs/crate/simclr/latest/source/docs/evaluation.md).
//! - Example: [`stl10_pretrain`](https://docs.rs/crate/simclr/latest/source/examples/stl10_pretrain/main.rs) leaves a run to
//!   report on.
//! - Beside it: [`simclr-train`](simclr_train) makes the runs, [`simclr-eval`](simclr_eval) the figures,
//!   [`simclr-embed`](simclr_embed) the map and the neighbours, and [`simclr`](https://docs.rs/simclr) is all of it under
//!   one roof.

mod chart;
mod contents;
mod error;
mod images;
mod learning_rate_plot;
mod numbers;
mod page;
mod quality;
mod report_config;
mod run;
mod run_report;
mod text;

pub use error::ReportError;
pub use learning_rate_plot::learning_rate_plot;
pub use report_config::ReportConfig;
pub use run_report::RunReport;

/// The README's code is tested with the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
