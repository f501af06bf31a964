//! One page that shows what a pretraining run has learnt.
//!
//! [`RunReport`] looks at a run's folder and its images, and [`write`](RunReport::write)s a page of HTML that holds
//! all it shows: no network, no file beside it, so that it can be mailed, archived and opened in ten years.
//!
//! From top to bottom the page answers:
//!
//! 1. what was trained, and what came of it: the recipe, and top-1 before and after;
//! 2. how it went: loss, contrastive accuracy, kNN, effective rank, learning rate and speed over the epochs;
//! 3. what the encoder saw: images beside the very views that the run drew of them;
//! 4. what it makes of images that it never saw: a map by PCA and t-SNE, the nearest neighbours of some test;
//! 5. how good that is: kNN and a linear probe beside raw pixels and random weights, figures per class, what is
//!    confused with what, with examples.
//!
//! Without labels there are no figures, and the rest stays: curves, views, a map and neighbours.
//!
//! # Names that are not what they seem
//!
//! Names of files and classes are other people's text. They are escaped by their type, the page's policy allows no
//! script but its own and no connection at all, and the script sets text and never markup.
//!
//! # The same page again
//!
//! The page holds no date and no random choice beyond [`ReportConfig::seed`]: the same run, images and seed make the
//! same bytes on the same backend, for any number of threads.

mod bins;
mod curves;
mod draws;
mod embedding_map;
mod error;
mod gallery;
mod line_chart;
mod neighbour_rows;
mod page;
mod picture;
mod quality;
mod report_config;
mod run_facts;
mod run_report;
mod sprite_sheet;
mod text;
mod ticks;
mod view_rows;

pub use error::ReportError;
pub use report_config::ReportConfig;
pub use run_report::RunReport;
